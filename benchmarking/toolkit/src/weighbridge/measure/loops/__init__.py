"""The loops that ask a model and time each answer."""
