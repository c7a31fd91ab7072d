"""Rules and calculations of runs, without Django."""
