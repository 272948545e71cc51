"""Two runs, or two sweeps, side by side; without torch and without Hydra."""
