"""When a clock is trusted: beside the database's, and on its own course since the last tick."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.jobs.domain import ClockReading, clock_doubt, course_of

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
CONFIRM = "manage.py confirm_clock"


def reading(
    *, database: timedelta = 0 * HOUR, last: timedelta = -2 * SECOND, course: timedelta = -2 * SECOND, every: int = 2
) -> ClockReading:
    """A reading at noon; the other times relative to it."""
    return ClockReading(
        now=NOON,
        database=NOON + database,
        last_tick=NOON + last,
        course=NOON + course,
        every=timedelta(seconds=every),
    )


def test_the_first_tick_begins_the_course() -> None:
    first = ClockReading(now=NOON, database=NOON, last_tick=None, course=None)
    assert (course_of(first), clock_doubt(first)) == (NOON, "")
    no_course = ClockReading(now=NOON, database=NOON, last_tick=NOON - 400 * DAY, course=None)
    assert (course_of(no_course), clock_doubt(no_course)) == (NOON, "")


@pytest.mark.parametrize("hours", [1, -1])
def test_the_clocks_may_differ_by_an_hour(hours: int) -> None:
    assert clock_doubt(reading(database=hours * HOUR)) == ""
    assert clock_doubt(reading(database=hours * (HOUR + SECOND))) != ""


def test_the_sentence_says_which_clock_is_ahead() -> None:
    behind = "The clock of this machine is 3 hours behind the clock of the database. Set the wrong one right."
    assert clock_doubt(reading(database=3 * HOUR)) == behind
    assert "is 400 days ahead of the clock of the database" in clock_doubt(reading(database=-400 * DAY))
    assert "is 1 hour ahead of" in clock_doubt(reading(database=-HOUR - SECOND))
    assert "is 2 days ahead of" in clock_doubt(reading(database=-2 * DAY))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_jump_is_more_than_an_hour_and_the_interval(sign: int) -> None:
    small, large = sign * (HOUR + 2 * SECOND), sign * (HOUR + 3 * SECOND)
    assert clock_doubt(reading(last=-small, course=-small)) == ""
    assert course_of(reading(last=-small, course=-small)) == NOON
    assert CONFIRM in clock_doubt(reading(last=-large, course=-large))
    assert course_of(reading(last=-large, course=-large)) == NOON - large


def ticks(*steps: timedelta) -> list[bool]:
    """Whether the clock is trusted at each tick; the clocks of machine and database are one."""
    now, last, course, trusted = NOON, NOON, NOON, []
    for step in steps:
        now += step
        seen = ClockReading(now=now, database=now, last_tick=last, course=course, every=2 * SECOND)
        trusted.append(not clock_doubt(seen))
        last, course = now, course_of(seen)
    return trusted


def test_a_jump_is_distrusted_until_the_clock_jumps_back() -> None:
    assert ticks(2 * SECOND, 400 * DAY, 2 * SECOND, 2 * SECOND, -400 * DAY, 2 * SECOND) == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]
    assert ticks(-2 * DAY, 2 * SECOND) == [False, False]
    assert ticks(*[59 * 60 * SECOND] * 3) == [True, True, True]
