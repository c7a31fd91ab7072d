"""The allow-list of a LiteLLM gateway: its configuration with only the models that the feed allows."""
