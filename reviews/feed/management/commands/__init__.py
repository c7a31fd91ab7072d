"""Commands of management."""
