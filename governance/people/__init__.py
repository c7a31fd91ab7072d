"""Teams, roles, tokens and accounts."""
