"""Models, their versions, and their stored files."""
