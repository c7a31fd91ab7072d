"""Workers of benchmarks: what a server orders, how it is measured, and the program for a machine of its own."""
