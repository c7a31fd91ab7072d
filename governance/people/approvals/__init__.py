"""Approvals: one change by two people, from the proposal to its end; a kind says who may and how it applies."""
