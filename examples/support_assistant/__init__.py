"""A support assistant: language models compared from the first prompt to the bill."""
