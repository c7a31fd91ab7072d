"""The value of a model's answers."""
