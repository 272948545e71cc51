"""Grids: every combination of the values that were typed, as jobs with numbers."""
