"""Costs: what training and serving a model costs, how sure that is, and what it is worth. Amounts are US dollars."""
