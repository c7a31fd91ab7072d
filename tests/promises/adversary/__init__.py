"""An adversary that plans: one person, or two of one team, tries sequences of all documented operations."""
