"""What looking at a file may cost, as promised: 2 s of processor time and 300 MB."""

from tests import marking

MOST_S = 8.0 if marking.is_installed() else 2.0
"""The mark before each statement, by which lines are counted, multiplies the time of loops in our own source."""
MOST_BYTES = 300_000_000
