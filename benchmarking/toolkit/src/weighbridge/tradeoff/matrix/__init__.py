"""The decision matrix."""
