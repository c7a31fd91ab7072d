"""Predictions made anywhere: their columns, what each column is, and the checks of their values."""
