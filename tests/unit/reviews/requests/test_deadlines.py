"""When a request lapses, and what an extension moves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.requests.domain.deadlines import EXTENSION_DAYS_MAX, WITH_DEADLINE, Deadline, deadline_of
from reviews.requests.domain.lifecycle import RequestState
from weighbridge.core.errors import Invalid

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STATES = st.sampled_from(sorted(WITH_DEADLINE))


@pytest.mark.parametrize(
    ("state", "revision", "days"),
    [("evidence", 1, 30), ("evidence", 2, 35), ("in_review", 1, 35), ("changes_requested", 1, 35)],
)
def test_grace_is_for_a_request_that_was_in_review(state: str, revision: int, days: int) -> None:
    deadline = deadline_of(NOON, days=30, grace_days=5)
    assert deadline.lapses_at(RequestState(state), revision=revision) == NOON + days * DAY


@given(STATES, st.integers(1, 3), st.integers(1, 400))
def test_without_grace_everything_lapses_at_the_deadline(state: RequestState, revision: int, days: int) -> None:
    assert deadline_of(NOON, days=days).lapses_at(state, revision=revision) == NOON + days * DAY


@given(STATES, st.integers(1, 3), st.integers(0, 30), st.integers(1, 30), st.integers(-40, 40))
def test_an_extension_only_moves_the_end_later(
    state: RequestState, revision: int, grace: int, days: int, passed: int
) -> None:
    before = deadline_of(NOON, days=30, grace_days=grace)
    after = before.extended(days=days, now=NOON + (30 + passed) * DAY)
    assert after.at == before.at + (max(passed, 0) + days) * DAY
    assert after.grace_ends_at - after.at == grace * DAY
    assert after.lapses_at(state, revision=revision) > before.lapses_at(state, revision=revision) or passed > 0


@pytest.mark.parametrize("days", [-1, 0, EXTENSION_DAYS_MAX + 1])
def test_an_extension_has_1_to_30_days(days: int) -> None:
    with pytest.raises(Invalid, match="by 1 to 30 days") as refusal:
        Deadline(NOON, NOON).extended(days=days, now=NOON)
    assert refusal.value.field == "days"
