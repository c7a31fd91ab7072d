"""Files that prices come in."""
