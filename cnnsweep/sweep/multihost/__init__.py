"""Several launches on one study: whose trial is whose, and one at a time."""
