"""Which column feeds which field: what a person said first, then what the headers suggest."""
