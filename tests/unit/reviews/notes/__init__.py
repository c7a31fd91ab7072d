"""Unit tests of personal notes."""
