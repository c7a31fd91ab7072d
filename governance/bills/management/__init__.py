"""Commands of bills."""
