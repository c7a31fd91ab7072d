"""Rules and calculations of operations, free of any framework."""
