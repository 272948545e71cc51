"""Other tools that are told of a run's figures."""
