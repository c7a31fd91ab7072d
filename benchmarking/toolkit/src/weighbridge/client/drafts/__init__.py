"""Requests that begin elsewhere: drafts that a repository or a model registry files and keeps up to date."""
