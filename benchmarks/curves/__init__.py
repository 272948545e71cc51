"""Recorded learning curves, and strategies of searching replayed on them."""
