"""Detection and validation of model files by their bytes."""
