"""Charts of packets."""
