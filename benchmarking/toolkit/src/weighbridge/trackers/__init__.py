"""Trackers: results written where a team already looks (MLflow, Weights & Biases, JSON lines), and runs read back."""
