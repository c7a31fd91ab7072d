"""Charts: each has an image, a text alternative and a table."""
