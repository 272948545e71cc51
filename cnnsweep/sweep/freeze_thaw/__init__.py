"""Trials that pause and thaw: the next epoch goes to whichever trial promises most."""
