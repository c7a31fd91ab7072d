"""Writes of runs: one function each, atomic and audited."""
