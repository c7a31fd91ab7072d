"""`python -m weighbridge` is `weighbridge`."""

from weighbridge.cli.app import main

main()
