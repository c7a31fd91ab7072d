"""Pages of quarterly."""
