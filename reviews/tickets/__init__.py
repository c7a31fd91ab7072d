"""Tickets in an external tracker: open, comment, move. `jira/` is the adapter for Jira."""
