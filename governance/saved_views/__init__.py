"""Saved views: lists with filters that a person named, for themselves or for a team."""
