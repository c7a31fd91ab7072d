"""Pages of the ticket sites and of what comes from them."""
