"""Run records to answers: grouping, comparing, testing, concluding."""
