"""Optimizing: makes cheaper variants of a model, measures each against the original, and says what it is worth."""
