"""What a search draws from: parameters, their points, and keys that some choices lack."""
