"""Tests of tradeoff."""
