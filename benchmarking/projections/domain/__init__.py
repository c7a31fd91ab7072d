"""Rules and calculations of projections, free of any framework."""
