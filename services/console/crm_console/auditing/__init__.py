"""What an auditor does from outside: checks a whole log part by part, and with what left it."""
