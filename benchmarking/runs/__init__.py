"""Benchmark runs, their evaluation data and their sandbox."""
