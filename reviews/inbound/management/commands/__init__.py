"""Commands of inbound."""
