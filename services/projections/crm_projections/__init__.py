"""Builds every view from the events of all contexts, and answers what they say now or said then."""
