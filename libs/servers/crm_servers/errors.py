class ServerUnavailable(RuntimeError):
    """A server cannot be had here; the message says in one sentence what to do about it."""
