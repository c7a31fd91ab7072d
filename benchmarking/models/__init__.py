"""Runs and evaluation data, and the constraints the database holds."""
