"""The adapter to Jira."""
