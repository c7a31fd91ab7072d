"""Reads of reviews: who may see what, as frozen dataclasses."""
