"""The journal of a sweep: its file, and what is kept in memory of its trials."""
