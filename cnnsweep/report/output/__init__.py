"""Answers to people: terminal, page, Markdown, LaTeX, CSV, pictures."""
