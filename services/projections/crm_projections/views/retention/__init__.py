"""Which customers come back: cohorts by first order, repeat rates, and retention by sets."""
