"""The callbacks of a measurement, and the signal that ends it and keeps its partial result."""

from collections.abc import Callable

# Clock counts nanoseconds, Sleep takes seconds.
Clock = Callable[[], int]
Sleep = Callable[[float], None]
# Takes the share done, 0 to 1; Progress also takes the current activity.
Tick = Callable[[float], None]
Progress = Callable[[float, str], None]


class StopMeasurement(Exception):  # noqa: N818 -- a control signal, not an error
    """Raise this from `on_tick` to end a measurement with a partial result; other exceptions pass through."""
