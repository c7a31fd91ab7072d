"""Calendar quarters and months: the periods of budgets, of bills, and of the performance and cost review."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from weighbridge.core.errors import Invalid

QUARTERS_AROUND = 12
_SPELLING = re.compile(r"([0-9]{4})Q([1-4])", re.ASCII)


def next_month(day: date) -> date:
    """The first day of the month after the one of this day. Raises Invalid after the last year of the calendar."""
    if day.year == date.max.year:
        raise Invalid(f"There is no month after those of {day.year}.")
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def last_day(day: date) -> date:
    """The last day of the month of this day."""
    return next_month(day) - timedelta(days=1)


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a calendar year, written `2026Q4`; quarters sort by time."""

    year: int
    number: int

    def __post_init__(self) -> None:
        """Raise Invalid unless the quarter exists in the calendar."""
        # One year less at both ends, so that the previous and next quarters always exist.
        if not 2 <= self.year <= 9998 or not 1 <= self.number <= 4:
            raise Invalid(f"There is no quarter {self.number} of {self.year}; quarters run from 1 to 4.")

    @classmethod
    def of(cls, day: date) -> "Quarter":
        """The quarter of a day, or of an aware instant in UTC."""
        if isinstance(day, datetime):
            day = day.astimezone(UTC).date()
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def parse(cls, text: str) -> "Quarter":
        """The quarter written as `2026Q4`. Raises Invalid for anything else."""
        match = _SPELLING.fullmatch(text.strip().upper())
        if match is None:
            raise Invalid(f"{text!r} is not a quarter. Write it like 2026Q4.")
        return cls(int(match[1]), int(match[2]))

    @property
    def start_on(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def end_on(self) -> date:
        """Its last day."""
        return self.next.start_on - timedelta(days=1)

    @property
    def months(self) -> tuple[date, date, date]:
        """The first days of its months."""
        second = next_month(self.start_on)
        return self.start_on, second, next_month(second)

    @property
    def next(self) -> "Quarter":
        """The quarter after this one."""
        return self.moved(1)

    @property
    def previous(self) -> "Quarter":
        """The quarter before this one."""
        return self.moved(-1)

    def check_near(self, today: date) -> None:
        """Raise Invalid unless the quarter is plausible for a budget: at most three years from now."""
        first, last = Quarter.of(today).moved(-QUARTERS_AROUND), Quarter.of(today).moved(QUARTERS_AROUND)
        if not first <= self <= last:
            raise Invalid(f"A budget is for a quarter from {first} to {last}, not for {self}.", field="quarter")

    def moved(self, quarters: int) -> "Quarter":
        """The quarter so many quarters later, or earlier if negative."""
        years, number = divmod(4 * self.year + self.number - 1 + quarters, 4)
        return Quarter(years, number + 1)

    def __str__(self) -> str:
        """The quarter as `2026Q4`."""
        return f"{self.year:04d}Q{self.number}"
