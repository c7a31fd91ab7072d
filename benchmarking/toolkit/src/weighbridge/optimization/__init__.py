"""Optimization: create cheaper variants of a model, measure each against the original, and judge them."""
