"""The price book, and the prices that the organization published."""
