"""Worker processes on this machine: a pool of them, and what each one does."""
