"""The `crm` command."""

from crm_console.cli.root import main

__all__ = ["main"]
