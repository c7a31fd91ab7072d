"""Whole cases to read and to run."""
