"""Rules and calculations of exports, free of any framework."""
