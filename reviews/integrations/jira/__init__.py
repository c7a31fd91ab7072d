"""The ticket tracker port spoken to Jira Cloud or Data Center."""
