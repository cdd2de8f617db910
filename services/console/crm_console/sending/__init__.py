"""Sends the rows of a file through the import commands of the contexts."""
