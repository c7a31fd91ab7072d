"""Writes of inbound."""
