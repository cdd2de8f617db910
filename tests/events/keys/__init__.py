"""Keys of data subjects: one suite on both databases."""
