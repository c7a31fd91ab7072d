"""Rules and calculations of requests, free of any framework."""
