"""Composing the configs of many jobs: what they share is read and composed once."""
