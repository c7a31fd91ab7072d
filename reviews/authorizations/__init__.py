"""Authorizations: signed, conditional, expiring, revocable; and the gate."""
