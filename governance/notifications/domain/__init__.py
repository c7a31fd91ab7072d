"""Pure rules of notifications: the kinds, when messages leave, and what they look like."""
