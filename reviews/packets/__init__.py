"""Packets of requests: frozen data, printed as PDF."""
