"""Opening a search: its storage, its study, and what was fixed at its first launch."""
