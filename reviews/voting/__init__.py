"""Who may vote on a frozen revision, and what the votes add up to."""
