"""What a sweep is to run, as plain values: settings, search space, plan, jobs and messages."""
