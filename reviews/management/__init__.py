"""Commands for operators of reviews."""
