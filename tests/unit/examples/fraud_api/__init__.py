"""Tests of fraud api."""
