"""Deadlines for operations of many trials."""

from collections.abc import Callable

from weighbridge.core.errors import Invalid


class OutOfTime(Exception):  # noqa: N818 -- a control signal, not an error
    """The deadline has passed; finished trials are kept, the current trial is dropped."""


class Deadline:
    """A deadline `within_s` seconds after construction, on the monotonic `clock` (seconds)."""

    def __init__(self, within_s: float, clock: Callable[[], float]) -> None:
        """Start the time; raise Invalid unless `within_s` is positive."""
        if within_s <= 0:
            raise Invalid("The time limit of a search must be positive, like 90s or 15m.", field="within")
        self.within_s, self._clock = within_s, clock
        self._ends_at = clock() + within_s

    @property
    def left_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._ends_at - self._clock())

    def check(self) -> None:
        """Raise OutOfTime after the deadline."""
        if self.left_s == 0:
            raise OutOfTime

    def words(self) -> str:
        """Describe the time left: `at most 90 s left`, `at most 15 min left`."""
        left_s = self.left_s
        return f"at most {left_s / 60:.0f} min left" if left_s > 120 else f"at most {left_s:.0f} s left"
