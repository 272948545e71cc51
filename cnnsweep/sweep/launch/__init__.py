"""A launch as another app's command begins it: its last line, and what tells its sweeper apart."""
