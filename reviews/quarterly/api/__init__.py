"""API of quarterly."""
