"""A finished run, or all runs of a grid, made longer: whether they can be, and where."""
