"""Tests of quarterly."""
