"""Writes of the ticket synchronization."""
