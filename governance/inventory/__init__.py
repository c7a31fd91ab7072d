"""Models, their versions, and the files that are kept of them."""
