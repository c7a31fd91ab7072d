"""Incoming data from the ticket tracker and its effects."""
