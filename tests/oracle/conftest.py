"""Commands run inside this process here too, and send their logs to files of their homes."""

from tests.console.conftest import logs_as_before, silent_logs

__all__ = ["logs_as_before", "silent_logs"]
