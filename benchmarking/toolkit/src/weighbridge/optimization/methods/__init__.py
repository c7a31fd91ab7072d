"""Methods that create a cheaper variant of a model."""
