"""Discussions of requests, findings and agenda items: threads, comments, mentions."""
