"""Real models that packages ship, measured by every command of the toolkit: `make models`."""
