"""Undoing all that came of one correlation, such as an import: withdrawn, and nothing deleted."""
