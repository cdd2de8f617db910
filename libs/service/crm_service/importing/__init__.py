"""Bulk import, the side of the contexts: rows in, one decision and one outcome for each."""
