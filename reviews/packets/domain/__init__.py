"""Framework-independent rules and calculations of packets."""
