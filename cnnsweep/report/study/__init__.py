"""What only Optuna knows of a sweep, asked of a process of its own."""
