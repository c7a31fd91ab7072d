"""Logging in, second factors and sessions."""
