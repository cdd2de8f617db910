"""Erasing a subject and telling everything known of one, over all contexts, by their API."""
