"""One config in one folder: the folder is chosen and locked, the outcome written."""
