"""Reads of previews."""
