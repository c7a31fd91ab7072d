"""API of workflow."""
