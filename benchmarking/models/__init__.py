"""Runs and evaluation data, and the constraints the database holds."""

from benchmarking.models.runs import Dataset, Run

__all__ = ["Dataset", "Run"]
