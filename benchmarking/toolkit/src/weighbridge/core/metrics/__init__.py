"""Metrics: their catalog, and their values with basis, interval and source."""
