"""Printing of packets as PDF."""
