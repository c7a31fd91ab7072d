"""The steps of a request, and its page and API."""
