"""Management commands of load tests."""
