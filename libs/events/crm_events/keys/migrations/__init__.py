"""The schema of the key database; an applied script is never edited."""
