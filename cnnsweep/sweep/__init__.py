"""Optuna sweeps under Hydra: ask, run, tell.

Each launch holds the study; with `shared=true` several do, one at a time. Workers never open it:
they run one trial at a time and are replaced when they die. A single run imports nothing of this.
"""
