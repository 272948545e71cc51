"""Optuna's side of a sweep: asking, pruning, telling, recording. Starts no process."""
