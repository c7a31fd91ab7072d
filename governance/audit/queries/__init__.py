"""Reads of audit."""
