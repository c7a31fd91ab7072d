"""Tests of prompts, answers of language models, their scorers, and judges."""
