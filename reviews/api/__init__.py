"""Reviews over HTTP, for programs."""
