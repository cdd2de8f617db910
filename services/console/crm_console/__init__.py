"""The `crm` command, file imports, the sample, and every context in one process."""
