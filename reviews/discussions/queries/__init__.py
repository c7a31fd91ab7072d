"""Reads of threads and comments."""
