"""Costs of training and serving a model, their uncertainty, and the value of the model. Amounts are US dollars."""
