"""Rules and calculations of evidence, free of any framework."""
