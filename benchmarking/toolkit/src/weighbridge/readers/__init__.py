"""Readers of other tools' results: what a file says, with its doubts, and nothing that it does not say."""
