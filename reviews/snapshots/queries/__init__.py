"""The snapshot of a request, and functions of it."""
