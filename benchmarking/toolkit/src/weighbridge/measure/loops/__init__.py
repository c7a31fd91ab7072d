"""The loops that send queries to a model and time each answer."""
