"""Search over everything with a reference or a name, and the command palette."""
