"""Rules and calculations of bills, free of any framework."""
