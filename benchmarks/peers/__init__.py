"""What people would use instead; each file but article.py runs in an environment of its own."""
