"""Pure rules of authorizations: their states, and the standing of an artifact."""
