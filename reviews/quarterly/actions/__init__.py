"""Writes of quarterly."""
