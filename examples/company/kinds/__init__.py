"""Models of the company that are no single file, and its support assistant."""
