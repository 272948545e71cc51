"""Optuna sweeps under Hydra: ask, run, tell.

The launching process alone holds the study; worker processes run one trial at a time and are
replaced when they die. Nothing here is imported by a single run.
"""
