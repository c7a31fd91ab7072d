"""Scorers of answers that need no code: each is a document with a digest."""
