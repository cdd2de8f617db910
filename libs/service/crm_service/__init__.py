"""What every HTTP service of the CRM shares: the door, the limits, the answers, and the roles."""
