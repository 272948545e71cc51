"""Run folders to run records: finding, parsing, remembering what was read. Files are hostile."""
