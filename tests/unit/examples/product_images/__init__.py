"""Tests of product images."""
