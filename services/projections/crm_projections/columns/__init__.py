"""Facts as columns in memory: read once from SQL, then kept up with it, for answers over many."""
