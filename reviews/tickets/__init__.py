"""Tickets in an outside tracker: opened, commented and moved; `jira/` is the adapter to Jira."""
