"""Reads of workflow."""
