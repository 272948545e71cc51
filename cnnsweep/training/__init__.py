"""The training loop: epochs, steps, losses, schedules, seeds, device. Writes no files."""
