"""Celery tasks: thin shells that load, build adapters from settings, and call one action."""
