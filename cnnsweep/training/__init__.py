"""The loop, its seeds, its steps and its checkpoints."""
