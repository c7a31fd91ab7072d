"""API of budgets."""
