"""Reads of the ground floor, as frozen dataclasses."""
