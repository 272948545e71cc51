"""Run records to numbers: grouping, intervals, tests, comparisons."""
