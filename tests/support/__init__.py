"""Builders, given-when-then, waiters, and fakes named after the port they fake."""
