"""Tests of predictions made anywhere."""
