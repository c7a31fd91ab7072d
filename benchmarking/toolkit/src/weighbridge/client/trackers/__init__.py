"""Trackers: write results to MLflow, Weights & Biases or JSON lines, and read runs from MLflow."""
