"""The event store: where decisions become durable, on SQLite and on PostgreSQL."""
