"""Reads of rulebook."""
