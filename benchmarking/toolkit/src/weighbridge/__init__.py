"""Pure benchmarking library and command line: no Django, no database."""
