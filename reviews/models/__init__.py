"""Requests, facts, votes, decisions, and the constraints the database holds."""
