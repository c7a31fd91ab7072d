"""Findings: problems that the system detected, their owners, and how they were closed."""
