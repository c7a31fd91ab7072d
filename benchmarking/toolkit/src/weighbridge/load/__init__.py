"""Load tests of an HTTP endpoint: an open-loop generator whose schedule never waits for the server."""
