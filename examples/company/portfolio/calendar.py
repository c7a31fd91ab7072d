"""When what happens: the two quarters the company lives through, and the days of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from examples.company.portfolio.truth import months_of
from governance.budgets.domain.quarters import Quarter
from reviews.quarterly.domain.cycle import Calendar

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BILLS_COME_ON = 5


@dataclass(frozen=True)
class Days:
    """The days of one quarter and of its review."""

    quarter: Quarter

    @property
    def opens(self) -> datetime:
        """The first morning."""
        return at(self.quarter.start_on, 8)

    @property
    def supplied(self) -> datetime:
        """When the last bill is in and the metric values are supplied."""
        return at(self.quarter.next.start_on + DAY * BILLS_COME_ON, 9)

    @property
    def frozen(self) -> datetime:
        """Just after the cut-off."""
        return Calendar.of(self.quarter).cut_off_at + HOUR

    @property
    def met(self) -> datetime:
        """The meeting, a day after the cut-off."""
        return Calendar.of(self.quarter).cut_off_at + DAY + 9 * HOUR

    @property
    def collecting(self) -> datetime:
        """Just after the cycle begins to collect."""
        return Calendar.of(self.quarter).collecting_at + HOUR


def at(day: date, hour: int) -> datetime:
    """An instant in UTC."""
    return datetime.combine(day, time(hour), tzinfo=UTC)


def bill_day(month: date) -> datetime:
    """When the bill of a month comes."""
    return at(date(month.year + month.month // 12, month.month % 12 + 1, BILLS_COME_ON), 7)


def latest_pair(*, now: datetime, taken: frozenset[str]) -> tuple[Quarter, Quarter]:
    """The latest two quarters after each other whose reviews could have been held by now, and of which none
    is taken.
    """
    return next(pair for pair in _pairs(now) if not taken & {str(quarter) for quarter in pair})


def _pairs(now: datetime) -> Iterator[tuple[Quarter, Quarter]]:
    quarter = Quarter.of(now)
    while True:
        quarter = quarter.previous
        if Days(quarter).met + DAY < now:
            yield quarter.previous, quarter


def bills_between(quarter: Quarter) -> tuple[tuple[date, datetime], ...]:
    """The months of a quarter with the day each bill comes."""
    return tuple((month, bill_day(month)) for month in months_of(quarter))
