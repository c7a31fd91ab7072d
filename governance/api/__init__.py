"""The ground floor over HTTP, for programs."""
