"""What is on disk: every file name of run and sweep folders, for writers and readers.

Needs neither torch nor Hydra.
"""
