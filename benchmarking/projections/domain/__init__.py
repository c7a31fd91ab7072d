"""Rules and calculations of projections, without Django."""
