"""Campaigns owns what is done to win interest, and the responses it draws."""
