"""Pure rules of comments."""
