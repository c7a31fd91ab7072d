"""When mail may leave, in every time zone and through every change of the clock."""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.notifications.domain.hours import MailHours, check_hours, is_quiet, last_digest, quiet_end
from weighbridge.core.errors import Invalid

BERLIN = "Europe/Berlin"
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
hour = st.integers(0, 23)
STEP = timedelta(minutes=5)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
times = st.integers(0, 37 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
# Until 2022, clocks changed at one minute past the hour in a zone.
lately = st.integers(0, 14 * 365 * 24 * 60).map(
    lambda minutes: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
hours = st.builds(MailHours, time_zone=st.sampled_from(ZONES), digest_hour=hour, quiet_from=hour, quiet_to=hour)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "quiet"),
    [(0, 0, []), (7, 7, []), (9, 12, [9, 10, 11]), (22, 2, [0, 1, 22, 23]), (0, 1, [0]), (23, 0, [23])],
)
def test_quiet_hours_may_pass_midnight(start: int, end: int, quiet: list[int]) -> None:
    own = MailHours(quiet_from=start, quiet_to=end)
    assert [one for one in range(24) if is_quiet(own, now=datetime(2026, 5, 1, one, 59, tzinfo=UTC))] == quiet


def test_quiet_hours_are_those_of_the_time_zone() -> None:
    own = MailHours(time_zone=BERLIN, quiet_from=8, quiet_to=9)
    assert is_quiet(own, now=at("2026-01-10T07:30"))
    assert not is_quiet(own, now=at("2026-07-10T07:30"))
    assert is_quiet(own, now=at("2026-07-10T06:30"))


@pytest.mark.parametrize(
    ("now", "day", "due"),
    [
        ("2026-07-10T05:59", "2026-07-09", "2026-07-09T06:00"),
        ("2026-07-10T06:00", "2026-07-10", "2026-07-10T06:00"),
        ("2026-01-10T06:59", "2026-01-09", "2026-01-09T07:00"),
        ("2026-01-10T07:00", "2026-01-10", "2026-01-10T07:00"),
    ],
)
def test_the_digest_comes_at_the_hour_of_the_person(now: str, day: str, due: str) -> None:
    own = MailHours(time_zone=BERLIN, digest_hour=8)
    assert last_digest(own, now=at(now)) == (date.fromisoformat(day), at(due))


def test_an_hour_that_is_skipped_or_comes_twice_has_one_digest() -> None:
    """In Berlin, 29 March 2026 has no 02:00, and 25 October has two."""
    own = MailHours(time_zone=BERLIN, digest_hour=2)
    assert last_digest(own, now=at("2026-03-29T01:00")) == (date(2026, 3, 29), at("2026-03-29T01:00"))
    assert last_digest(own, now=at("2026-03-29T00:59"))[0] == date(2026, 3, 28)
    assert last_digest(own, now=at("2026-10-25T00:00")) == (date(2026, 10, 25), at("2026-10-25T00:00"))
    assert last_digest(own, now=at("2026-10-25T01:30")) == (date(2026, 10, 25), at("2026-10-25T00:00"))


@given(own=hours, now=times)
def test_the_last_digest_is_past_and_young(own: MailHours, now: datetime) -> None:
    day, due = last_digest(own, now=now)
    assert due <= now < due + timedelta(hours=49)  # a zone once left out a whole day
    assert abs(due.astimezone(ZoneInfo(own.time_zone)).date() - day) <= timedelta(days=1)


@given(own=hours, now=lately)
def test_quiet_hours_end_at_the_first_moment_that_is_not_quiet(own: MailHours, now: datetime) -> None:
    end = quiet_end(own, now=now)
    assert not is_quiet(own, now=end)
    steps = range(math.ceil((end - now) / STEP))
    assert all(is_quiet(own, now=now + step * STEP) for step in steps)


@pytest.mark.parametrize("minutes", range(0, 24 * 60, 15))
@pytest.mark.parametrize("day", [datetime(2027, 4, 3, 6, tzinfo=UTC), datetime(2027, 10, 2, 6, tzinfo=UTC)])
def test_quiet_hours_end_in_a_night_in_which_clocks_change_by_half_an_hour(day: datetime, minutes: int) -> None:
    own = MailHours(quiet_from=22, quiet_to=7, time_zone="Australia/Lord_Howe")
    now = day + timedelta(minutes=minutes, seconds=1)
    end = quiet_end(own, now=now)
    assert (end == now) is not is_quiet(own, now=now)
    assert not is_quiet(own, now=end)
    assert end == now or is_quiet(own, now=end - timedelta(seconds=1))


@given(own=hours, start=times)
def test_a_day_has_one_digest_however_often_the_tick_runs(own: MailHours, start: datetime) -> None:
    ticks = [start + timedelta(minutes=20 * n) for n in range(300)]
    found = [last_digest(own, now=now) for now in ticks]
    assert found == sorted(found)
    days = [day for day, _ in dict.fromkeys(found)]
    assert len(days) == len(set(days))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"digest_hour": 24}, "digest_hour"),
        ({"quiet_from": -1}, "quiet_from"),
        ({"quiet_to": 99}, "quiet_to"),
    ],
)
def test_hours_that_no_clock_shows_are_refused(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_hours(MailHours(**wrong))  # type: ignore[arg-type]
    assert refused.value.field == field
    check_hours(MailHours(time_zone=BERLIN, digest_hour=23))
