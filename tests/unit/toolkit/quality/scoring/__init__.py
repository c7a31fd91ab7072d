"""Tests of scores of predictions."""
