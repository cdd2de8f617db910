"""The schema of a context's store; a new need is a new script, an applied one is never edited."""
