"""Run folders to run records: finding, parsing, caching. No file is trusted."""
