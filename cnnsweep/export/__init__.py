"""Taking a trained network away: files that run without this package."""
