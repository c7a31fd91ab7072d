"""What people do to effects: retry the dead, resume the paused, test the connection."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks

from governance.audit.models import AuditEvent
from governance.jobs import kinds
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.operations import actions as effects
from tests.factories.people import Cast
from weighbridge.core.errors import NotAllowed, WrongState

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def message(key: str = "a", **changes: Any) -> OutboxMessage:
    fields = {
        "kind": "test",
        "key": key,
        "lane": key,
        "created_at": NOW,
        "next_attempt_at": NOW,
        "max_attempts": 12,
    } | changes
    return OutboxMessage.objects.create(**fields)


def events(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(row.actor, row.subject, row.details) for row in AuditEvent.objects.filter(kind=kind)]


@pytest.mark.parametrize("state", ["dead", "paused"])
@pytest.mark.parametrize(
    ("attempts", "was_uncertain", "is_uncertain"), [(0, False, False), (0, True, True), (3, False, True)]
)
def test_a_retry_gives_a_fresh_set_of_attempts_and_remembers_doubt(
    cast: Cast, state: str, attempts: int, was_uncertain: bool, is_uncertain: bool
) -> None:
    row = message(state=state, attempts=attempts, is_uncertain=was_uncertain, error="401 from Jira", finished_at=NOW)
    found = effects.retry(message=row, by=cast.approver, now=LATER)
    row.refresh_from_db()
    assert found == row
    assert (row.state, row.attempts, row.next_attempt_at, row.finished_at) == ("queued", 0, LATER, None)
    assert row.is_uncertain is is_uncertain
    assert events("effect.retried") == [("Approver", "a", {"error": "401 from Jira"})]
    assert OutboxMessage.claim(pk=row.pk, now=LATER, lease=kinds.effect_lease()) is not None


@pytest.mark.parametrize("state", sorted(set(JobState) - {JobState.DEAD, JobState.PAUSED}))
def test_only_what_is_stuck_is_retried(cast: Cast, state: JobState) -> None:
    row = message(state=state, attempts=2)
    before = AuditEvent.objects.count()
    with pytest.raises(WrongState, match=f"This message is {state}; only a dead or paused one can be retried"):
        effects.retry(message=row, by=cast.admin, now=LATER)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.next_attempt_at) == (state, 2, NOW)
    assert AuditEvent.objects.count() == before


def test_resuming_frees_everything_that_was_paused_and_nothing_else(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    rows = [message(state, state=state) for state in JobState] + [message("second", state="paused")]
    with django_capture_on_commit_callbacks() as wakes:
        assert effects.resume_all(by=cast.admin, now=LATER) == 2
    assert len(wakes) == 2
    for row in rows:
        before = row.state
        row.refresh_from_db()
        assert row.state == ("queued" if before == "paused" else before)
    assert events("effect.resumed") == [("Admin", "paused", {"count": 2})]
    assert effects.resume_all(by=cast.admin, now=LATER) == 0


def test_a_connection_test_takes_the_place_of_the_one_before(cast: Cast) -> None:
    first = effects.request_check(by=cast.admin, now=NOW)
    assert (first.kind, first.lane, first.state, first.payload) == (
        "tracker.check",
        "tracker",
        "queued",
        {"by": cast.admin.pk},
    )
    OutboxMessage.objects.update(state=JobState.DEAD)
    second = effects.request_check(by=cast.admin, now=LATER)
    third = effects.request_check(by=cast.approver, now=LATER + timedelta(seconds=1))
    assert [row.state for row in OutboxMessage.objects.order_by("pk")] == ["canceled", "canceled", "queued"]
    assert OutboxMessage.objects.get(pk=second.pk).finished_at == LATER + timedelta(seconds=1)
    assert [row.pk for row in OutboxMessage.due(now=LATER + timedelta(seconds=2), limit=100)] == [third.pk]
    assert events("tracker.check_requested") == [(name, "tickets", {}) for name in ("Admin", "Admin", "Approver")]


def test_a_connection_test_disturbs_no_other_message_nor_one_that_is_done(cast: Cast) -> None:
    other, done = message("other", state="paused"), message("done", kind="tracker.check", state="done")
    effects.request_check(by=cast.admin, now=LATER)
    for row, state in ((other, "paused"), (done, "done")):
        row.refresh_from_db()
        assert row.state == state


def test_a_worker_in_the_middle_of_a_replaced_test_writes_nothing(cast: Cast) -> None:
    first = effects.request_check(by=cast.admin, now=NOW)
    held = OutboxMessage.claim(pk=first.pk, now=NOW, lease=kinds.effect_lease())
    assert held is not None
    effects.request_check(by=cast.admin, now=LATER)
    assert held.write(state=JobState.DONE) is False


def test_only_leads_and_administrators_operate(cast: Cast) -> None:
    row = message(state="dead")
    before = (list(OutboxMessage.objects.values_list()), AuditEvent.objects.count())

    def actions(by: User) -> list[partial[Any]]:
        return [
            partial(effects.retry, message=row, by=by, now=LATER),
            partial(effects.resume_all, by=by, now=LATER),
            partial(effects.request_check, by=by, now=LATER),
        ]

    for person in set(cast.everybody()) - {cast.admin, cast.approver}:
        for action in actions(person):
            with pytest.raises(NotAllowed, match="Only a platform lead or an administrator may operate integrations"):
                action()
    assert (list(OutboxMessage.objects.values_list()), AuditEvent.objects.count()) == before
