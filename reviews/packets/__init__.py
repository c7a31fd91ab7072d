"""The packet of a request: frozen data, printed as PDF."""
