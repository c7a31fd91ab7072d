"""The shared benchmarking toolkit, and the jobs that run it."""
