"""Rules and calculations of scorecard, free of any framework."""
