"""Benchmark runs over HTTP, for programs."""
