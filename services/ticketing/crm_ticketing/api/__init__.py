"""HTTP in, one command, its outcome out."""
