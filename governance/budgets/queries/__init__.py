"""Reads of budgets."""
