"""Campaigns owns what marketing plans and spends, and the responses it brings."""
