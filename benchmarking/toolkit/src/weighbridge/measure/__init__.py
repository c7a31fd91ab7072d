"""Measuring: scenarios, statistics, quality, memory, the manifest and the verdict."""
