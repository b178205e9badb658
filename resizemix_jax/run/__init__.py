"""A run's directory: its files, checkpoints, metrics and result."""
