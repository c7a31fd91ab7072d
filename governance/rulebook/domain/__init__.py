"""Rules and calculations of rulebook, free of any framework."""
