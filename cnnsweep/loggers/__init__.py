"""Trackers (TensorBoard, MLflow, W&B): each runs in a process of its own and cannot harm a run."""
