"""Leased jobs and the outbox: work that survives whatever dies."""
