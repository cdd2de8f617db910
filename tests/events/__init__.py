"""The event libraries: their ports, each on every adapter."""
