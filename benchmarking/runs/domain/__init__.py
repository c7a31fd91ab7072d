"""Rules and calculations of runs, free of any framework."""
