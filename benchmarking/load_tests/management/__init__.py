"""Commands of load tests."""
