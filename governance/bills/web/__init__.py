"""Pages of bills."""
