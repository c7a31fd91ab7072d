"""How long a worker waits after failures of its link to the server."""

FIRST_S, LAST_S = 0.5, 30.0
DOUBLINGS_MAX = 20


def wait_s(failures: int, *, chance: float) -> float:
    """Seconds to wait after the given number of failures in a row, at most half a minute.

    The wait doubles from half a second; `chance`, uniform from 0 to 1, spreads it from half to whole, so that many
    workers do not return at the same moment.
    """
    longest = min(FIRST_S * 2.0 ** min(max(failures - 1, 0), DOUBLINGS_MAX), LAST_S)
    return longest * (0.5 + chance / 2)
