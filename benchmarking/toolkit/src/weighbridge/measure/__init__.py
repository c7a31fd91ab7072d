"""Measurements: scenarios, timing loops, conditions, the manifest and the verdict."""
