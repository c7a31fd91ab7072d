"""Scores of predictions: intervals by resampling, slices, drops against a baseline, and the document."""
