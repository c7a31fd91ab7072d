"""A deadline: how long something made of many trials may take in all, whatever each of them costs."""

from collections.abc import Callable

from weighbridge.core.errors import Invalid


class OutOfTime(Exception):  # noqa: N818 -- an answer, not a malfunction
    """The time is up; what was known before is kept, the trial under way is not counted."""


class Deadline:
    """The moment `within_s` seconds after this was made, by `clock` (seconds that only rise)."""

    def __init__(self, within_s: float, clock: Callable[[], float]) -> None:
        """Start the time; refuse none."""
        if within_s <= 0:
            raise Invalid("A search needs some time, like 90s or 15m.", field="within")
        self.within_s, self._clock = within_s, clock
        self._ends_at = clock() + within_s

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 once there are none."""
        return max(0.0, self._ends_at - self._clock())

    def check(self) -> None:
        """Raise OutOfTime once the time is up."""
        if self.left_s == 0:
            raise OutOfTime

    def words(self) -> str:
        """Say how much is left: `at most 90 s left`, `at most 15 min left`."""
        left_s = self.left_s
        return f"at most {left_s / 60:.0f} min left" if left_s > 120 else f"at most {left_s:.0f} s left"
