"""What runs of earlier launches took."""
