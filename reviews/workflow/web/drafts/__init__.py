"""Drafts on pages: saved by themselves, previewed, submitted after one question, and copied."""
