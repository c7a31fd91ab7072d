"""The portfolio of a quarter as a problem for the optimizer."""
