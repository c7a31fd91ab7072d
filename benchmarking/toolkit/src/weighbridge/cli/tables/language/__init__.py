"""Tables about language models."""
