"""Writes of the ground floor: one function each, atomic and audited."""
