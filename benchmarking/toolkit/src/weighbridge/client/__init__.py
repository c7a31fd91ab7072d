"""The client of a Weighbridge server."""
