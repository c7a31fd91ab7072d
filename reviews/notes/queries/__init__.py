"""Reads of personal notes."""
