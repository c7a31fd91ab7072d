"""Pure rules of personal notes."""
