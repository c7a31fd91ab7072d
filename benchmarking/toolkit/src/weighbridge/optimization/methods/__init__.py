"""Methods that make a cheaper variant of a model."""
