"""The public Python API: the jobs of the toolkit as functions; the command line also calls them."""
