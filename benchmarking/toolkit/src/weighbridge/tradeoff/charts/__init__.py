"""Charts: each a picture for people who see it, the same in words for those who do not, and the same as a table."""
