"""Tests of scorers that need no code."""
