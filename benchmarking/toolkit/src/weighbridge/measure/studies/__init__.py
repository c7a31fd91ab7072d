"""Studies of several measurements: comparisons, sweeps, searches and reruns."""
