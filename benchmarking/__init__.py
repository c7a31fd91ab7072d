"""Benchmark runs, load tests, prices and projections, around the toolkit, which is a library of its own."""
