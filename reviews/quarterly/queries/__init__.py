"""Reads of quarterly."""
