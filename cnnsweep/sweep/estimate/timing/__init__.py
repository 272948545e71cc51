"""Some steps of runs, timed here and now in processes of their own."""
