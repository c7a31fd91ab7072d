"""Findings: what the system noticed, who looks after it, and how it was closed."""
