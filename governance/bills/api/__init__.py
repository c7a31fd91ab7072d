"""API of bills."""
