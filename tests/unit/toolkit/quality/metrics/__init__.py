"""Tests of quality metrics."""
