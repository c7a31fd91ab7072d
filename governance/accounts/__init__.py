"""Ways into an account: logging in, second factors, sessions, and what their owner is told."""
