"""Reads of runs, as frozen dataclasses."""
