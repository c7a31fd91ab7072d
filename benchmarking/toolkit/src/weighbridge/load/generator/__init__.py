"""The generator of load."""
