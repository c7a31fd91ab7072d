"""Load tests that several workers run together."""
