"""Cheaper alternatives to a language model, compared on the same prompts by quality and by cost."""
