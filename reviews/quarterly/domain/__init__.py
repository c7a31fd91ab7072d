"""Rules and calculations of quarterly, free of any framework."""
