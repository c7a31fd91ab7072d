"""Choose one variant for each model of a portfolio so that budgets hold with a given probability."""
