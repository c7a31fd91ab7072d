"""Policies and checklists, and the evaluation of a policy."""
