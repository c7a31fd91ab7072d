"""The database backend: PostgreSQL, with a limit on how long a process waits for an answer."""
