"""The clock of an inbox."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

from hypothesis import example, given
from hypothesis import strategies as st

from reviews.inbox.domain import InboxEntry, InboxKind, by_clock, end_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(ref: str, *, ends: int | None = None, since: int = 0) -> InboxEntry:
    ends_at = None if ends is None else NOW + ends * DAY
    return InboxEntry(
        kind=InboxKind.VOTE, ref=ref, title="", path="/", step="", since=NOW + since * DAY, ends_at=ends_at
    )


def test_what_lapses_first_is_first_and_what_never_lapses_is_last_the_oldest_first() -> None:
    entries = [entry("a", ends=-1), entry("b", ends=2), entry("c", ends=2, since=1), entry("d", since=-5), entry("e")]
    for order in permutations(entries):
        assert [each.ref for each in by_clock(order)] == ["a", "b", "c", "d", "e"]


def test_a_day_is_over_at_the_next_midnight() -> None:
    assert end_of(date(2026, 2, 28)) == datetime(2026, 3, 1, tzinfo=UTC)


@given(st.dates())
@example(date.max)
def test_every_day_has_an_end(day: date) -> None:
    assert end_of(day) - datetime.combine(day, time.min, tzinfo=UTC) in (DAY, DAY - timedelta(microseconds=1))


def test_the_last_day_of_all_ends_with_its_last_moment() -> None:
    assert end_of(date.max) == datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
