"""Load tests that several workers fire together."""
