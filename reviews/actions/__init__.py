"""Writes of reviews: one function each, atomic and audited."""
