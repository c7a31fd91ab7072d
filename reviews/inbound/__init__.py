"""What comes in from the ticket tracker, and what it does here."""
