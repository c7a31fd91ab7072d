"""Writes that file a request, change its draft, and change what was submitted."""
