"""Ticketing owns feedback, the tickets it opens and the surveys that ask how well it went."""
