"""The adapter that calls the webhooks of teams."""
