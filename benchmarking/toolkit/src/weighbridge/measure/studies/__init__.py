"""Measurements of more than one point: comparisons, sweeps, searches, repetitions."""
