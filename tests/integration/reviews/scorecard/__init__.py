"""Tests of scorecard."""
