"""The jobs of the toolkit as functions: the public API, which the command line calls too."""
