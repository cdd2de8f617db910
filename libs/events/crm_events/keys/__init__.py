"""Keys of data subjects: one for each, wrapped by a master key, destroyed to erase a subject."""
