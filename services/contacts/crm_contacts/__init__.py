"""Contacts owns leads, people and organisations: who they are, what they agreed to, whose they are."""
