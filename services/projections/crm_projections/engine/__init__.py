"""Folds events into views, once each, and knows no view."""
