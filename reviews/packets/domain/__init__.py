"""Rules and calculations of packets, free of any framework."""
