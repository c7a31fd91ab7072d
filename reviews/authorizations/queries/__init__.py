"""Reads of authorizations."""
