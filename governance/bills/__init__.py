"""Bills, allocation rules and exchange rates: what was really spent, and on what."""
