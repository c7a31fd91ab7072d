"""Rules and calculations of people, free of any framework."""
