"""When people are reminded, and who they are."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.inbox.domain import (
    Addressee,
    Occasion,
    ReminderTerms,
    horizon,
    is_escalated,
    recipients,
    reminder_due,
    working_days_before,
)

FRIDAY = datetime(2026, 7, 3, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = ReminderTerms((3, 1), 75)


@pytest.mark.parametrize(
    ("start", "days", "back"), [(0, 1, 1), (0, 3, 3), (0, 5, 7), (3, 1, 3), (1, 1, 1), (2, 1, 2), (0, 0, 0)]
)
def test_weekends_are_not_working_days(start: int, days: int, back: int) -> None:
    due = FRIDAY + start * DAY
    assert working_days_before(due, days=days) == due - back * DAY


@pytest.mark.parametrize(
    ("days_left", "expected"),
    [(4.0, None), (3.1, None), (3.0, 3), (2.0, 3), (1.0, 1), (0.5, 1), (0.0, None), (-1.0, None)],
)
def test_the_latest_reminder_whose_time_has_come(days_left: float, expected: int | None) -> None:
    occasion = reminder_due(now=FRIDAY - days_left * DAY, due_at=FRIDAY, terms=TERMS)
    assert occasion == (None if expected is None else Occasion(expected))
    assert occasion is None or not occasion.is_escalation


def test_an_escalation_comes_after_the_stated_share_and_before_the_end() -> None:
    begun, due = FRIDAY - 20 * DAY, FRIDAY

    def asked(days_left: float) -> bool:
        return is_escalated(now=FRIDAY - days_left * DAY, begun_at=begun, due_at=due, terms=TERMS)

    assert [asked(days) for days in (5.1, 5.0, 0.1, 0.0)] == [False, True, True, False]
    assert Occasion().is_escalation


def test_the_deputy_is_reminded_for_the_absent_person_and_each_person_once() -> None:
    assert recipients([3, 1, 1], deputies={}) == (Addressee(1), Addressee(3))
    assert recipients([1, 3], deputies={3: 5}) == (Addressee(1), Addressee(5, 3))
    assert recipients([1, 3], deputies={3: 1}) == (Addressee(1),)
    assert recipients([1, 3], deputies={3: None, 1: 3}) == ()
    assert recipients([1, 3], deputies={1: 5, 3: 5}) == (Addressee(5, 1),)


IDS = st.integers(1, 5)


@given(st.lists(IDS), st.dictionaries(IDS, st.none() | IDS))
def test_nobody_who_is_absent_is_reminded(people: list[int], deputies: dict[int, int | None]) -> None:
    found = recipients(people, deputies=deputies)
    told = [one.person_id for one in found]
    assert len(told) == len(set(told))
    assert not set(told) & set(deputies)
    assert set(people) - set(deputies) <= set(told)
    assert all(one.in_place_of_id is None or deputies[one.in_place_of_id] == one.person_id for one in found)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=4), st.integers(0, 2_000))
def test_the_horizon_misses_no_reminder(days: list[int], hours_left: int) -> None:
    terms, due = ReminderTerms(tuple(days), 75), FRIDAY
    now = due - timedelta(hours=hours_left)
    if reminder_due(now=now, due_at=due, terms=terms) is not None:
        assert due <= now + horizon(terms)
    assert horizon(ReminderTerms((), 75)) == 2 * DAY
