"""One config in one folder: which folder, whose it is, and what became of it."""
