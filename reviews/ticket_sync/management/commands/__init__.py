"""Commands of the ticket synchronization."""
