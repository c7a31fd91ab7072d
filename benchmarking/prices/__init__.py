"""The price book with what the organization published beside it."""
