"""Tests: unit, integration, functional, contracts, architecture."""
