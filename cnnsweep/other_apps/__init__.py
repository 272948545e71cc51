"""Runs of other Hydra apps, whose training loops report their epochs."""
