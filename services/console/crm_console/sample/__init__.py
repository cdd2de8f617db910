"""A made-up company's months of work, told through the same commands as everything else."""
