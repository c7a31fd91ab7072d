"""Rules and calculations of audit, free of any framework."""
