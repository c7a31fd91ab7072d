"""Tests of the ground floor without a database."""
