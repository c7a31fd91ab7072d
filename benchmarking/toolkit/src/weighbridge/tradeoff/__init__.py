"""The trade-off: compare candidates, find the Pareto frontier, choose one, and list what is uncertain."""
