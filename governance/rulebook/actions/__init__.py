"""Writes of policies and checklists."""
