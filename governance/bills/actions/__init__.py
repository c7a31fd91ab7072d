"""Writes of bills."""
