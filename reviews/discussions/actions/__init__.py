"""Writes of comments and threads."""
