"""The sandbox: runs a system under test in an isolated child process and validates its result."""
