"""Reactions and timers: exactly once in effect, whatever is repeated, lost or broken."""
