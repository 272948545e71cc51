"""What a search is given from elsewhere: points to try, trials of earlier sweeps and of others."""
