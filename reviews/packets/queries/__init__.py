"""Reads of packets."""
