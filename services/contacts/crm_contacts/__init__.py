"""Contacts owns whom the company deals with: staff, organisations, people, leads and consent."""
