"""Views over HTTP: what they answer, how far they are, and what is parked."""
