"""The pure rules of retirements and classifications."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.inventory.domain.classification import TIERS, Classification, at_once, strictest_tier
from governance.inventory.domain.retirement import (
    NOTICES_DAYS,
    Announcement,
    check_announcement,
    day_text,
    end_of,
    is_near,
    is_sooner,
    notice_days,
)
from governance.inventory.enums import Tier
from weighbridge.core.errors import Invalid

TODAY = date(2026, 11, 28)
DAYS = st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize(
    ("left", "days"),
    [(91, None), (90, 90), (31, 90), (30, 30), (8, 30), (7, 7), (1, 7), (0, 7), (-400, 7)],
)
def test_the_nearest_notice_that_is_reached_is_due(left, days):
    assert notice_days(TODAY + timedelta(days=left), today=TODAY) == days


@given(st.integers(-100, 200), st.integers(0, 100))
def test_a_later_look_never_asks_for_a_farther_notice(left, passed):
    day = TODAY + timedelta(days=left)
    first, second = (notice_days(day, today=TODAY + timedelta(days=days)) for days in (0, passed))
    assert first is None or second <= first


def test_a_model_ends_with_the_first_minute_of_its_day():
    assert end_of(TODAY) == datetime(2026, 11, 28, tzinfo=UTC)
    assert (day_text(TODAY), day_text(None)) == ("2026-11-28", "never")


@pytest.mark.parametrize(("left", "near"), [(29, True), (30, False), (-1, True)])
def test_a_day_is_near_below_thirty_days(left, near):
    assert is_near(TODAY + timedelta(days=left), today=TODAY) is near


@given(DAYS, DAYS)
def test_of_two_days_at_most_one_is_sooner(one, other):
    assert not (is_sooner(one, than=other) and is_sooner(other, than=one))
    assert (one == other) is not (is_sooner(one, than=other) or is_sooner(other, than=one))


@pytest.mark.parametrize(
    ("day", "source", "before", "field"),
    [
        (TODAY, " ", None, "source"),
        (TODAY, "x" * 301, None, "source"),
        (None, "a mail", None, "retires_on"),
        (TODAY, "a mail", TODAY, "retires_on"),
    ],
)
def test_an_announcement_names_its_source_and_a_new_day(day, source, before, field):
    with pytest.raises(Invalid) as refusal:
        check_announcement(Announcement(retires_on=day, source=source), before=before)
    assert refusal.value.field == field
    check_announcement(Announcement(retires_on=TODAY, source="a mail"), before=None)


def test_the_tiers_are_those_of_the_database():
    assert [value for value, _ in Tier.choices] == list(TIERS)
    assert NOTICES_DAYS == (7, 30, 90)


@given(*[st.builds(Classification, st.sampled_from(TIERS), st.sampled_from(["ranking", "other"]))] * 2)
def test_without_a_second_person_a_classification_never_becomes_milder(present, wanted):
    counts = at_once(present, wanted)
    assert counts.task == present.task
    assert counts.tier == strictest_tier([present.tier, wanted.tier]) <= present.tier
    assert (counts == wanted) is (wanted.task == present.task and wanted.tier <= present.tier)
