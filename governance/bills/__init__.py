"""Bills, allocation rules and exchange rates: the actual spend of teams and models."""
