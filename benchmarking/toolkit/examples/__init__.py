"""Examples: whole cases from data to recommendation, on real data, that anybody can run."""
