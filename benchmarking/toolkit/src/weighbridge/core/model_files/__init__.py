"""What a model file really is, decided by its bytes."""
