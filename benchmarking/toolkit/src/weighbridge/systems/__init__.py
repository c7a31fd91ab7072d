"""What executes a model: one module for each engine."""
