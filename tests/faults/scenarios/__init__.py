"""One fault, or one kind of them, per module; what each promises is in its own words."""
