"""What the launching machine has, and how many workers of a sweep that is enough for."""
