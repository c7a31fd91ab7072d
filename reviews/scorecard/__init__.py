"""Business KPIs of models, and the actuals supplied for them."""
