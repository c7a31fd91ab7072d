"""Who may do what to a benchmark run."""
