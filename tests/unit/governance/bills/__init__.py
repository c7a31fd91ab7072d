"""Tests of bills."""
