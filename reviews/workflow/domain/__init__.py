"""Rules of the page of a request that need no framework."""
