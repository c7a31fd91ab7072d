"""API of operations."""
