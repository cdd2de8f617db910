"""The published language: one frozen pydantic model for each event, one module for each context."""
