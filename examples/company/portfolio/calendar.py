"""The two quarters of the company, and the times of their events."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from governance.budgets.domain.quarters import Quarter
from reviews.quarterly.domain.cycle import Calendar

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BILL_DAY = 5


@dataclass(frozen=True)
class Days:
    """The times of one quarter and its review."""

    quarter: Quarter

    @property
    def opens(self) -> datetime:
        """The morning of the first day."""
        return at(self.quarter.start_on, 8)

    @property
    def supplied(self) -> datetime:
        """The time when the last bill has arrived and values are supplied."""
        return at(self.quarter.next.start_on + DAY * BILL_DAY, 9)

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
    """The hour of a day, in UTC."""
    return datetime.combine(day, time(hour), tzinfo=UTC)


def bill_day(month: date) -> datetime:
    """The time when the bill of a month arrives."""
    return at(date(month.year + month.month // 12, month.month % 12 + 1, BILL_DAY), 7)


def latest_pair(*, now: datetime, taken: frozenset[str]) -> tuple[Quarter, Quarter]:
    """The latest two consecutive free quarters whose reviews can be over by now."""
    quarter = Quarter.of(now).previous
    while Days(quarter).met + DAY >= now or taken & {str(quarter.previous), str(quarter)}:
        quarter = quarter.previous
    return quarter.previous, quarter
