"""Prompts, answers of language models, scorers without code, and what a judge is worth."""
