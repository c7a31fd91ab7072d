"""API of site."""
