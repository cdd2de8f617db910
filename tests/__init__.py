"""One folder per context and view; what they share is in `tests.support`."""
