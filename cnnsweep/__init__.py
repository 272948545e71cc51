"""Train, sweep and compare small convolutional networks."""

__version__ = "0.1.0"
