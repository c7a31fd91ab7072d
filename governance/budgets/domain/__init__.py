"""Rules and calculations of budgets, free of any framework."""
