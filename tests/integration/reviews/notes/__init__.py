"""Tests of personal notes."""
