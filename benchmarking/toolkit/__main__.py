"""`python -m benchmarking.toolkit` is `weighbridge`."""

from benchmarking.toolkit.cli import main

main()
