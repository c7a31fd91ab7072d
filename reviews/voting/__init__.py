"""Voting on a frozen revision: permissions, votes and their outcome."""
