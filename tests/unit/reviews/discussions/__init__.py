"""Unit tests of discussions."""
