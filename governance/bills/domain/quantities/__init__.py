"""Quantities of bill rows: hours of GPUs and servers, and tokens of language models."""
