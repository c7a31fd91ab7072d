"""What the integrations page reads of the outbox."""

from datetime import UTC, datetime, timedelta
from typing import Any

from governance.jobs import queries as effects
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def message(key: str, **changes: Any) -> OutboxMessage:
    fields = {"kind": "test", "key": key, "lane": key, "created_at": NOW, "next_attempt_at": NOW} | changes
    return OutboxMessage.objects.create(**fields)


def test_an_empty_outbox(db: None) -> None:
    assert effects.health(now=NOW) == effects.OutboxHealth(0, 0, 0, 0, 0, None, None)
    assert (effects.pauses(), list(effects.stuck()), list(effects.delayed())) == ([], [], [])


def test_the_outbox_in_figures(db: None) -> None:
    for state in JobState:
        message(state, state=state, finished_at=NOW - HOUR if state == "done" else None)
    message("older", created_at=NOW - HOUR)
    message("long ago", state="done", finished_at=NOW - 25 * HOUR)
    message("a day ago", state="done", finished_at=NOW - 24 * HOUR)
    assert effects.health(now=NOW) == effects.OutboxHealth(
        waiting=2, sending=2, paused=1, dead=1, done_last_day=1, oldest_waiting_at=NOW - HOUR, last_done_at=NOW - HOUR
    )


def test_paused_messages_by_reason(db: None) -> None:
    message("a", state="paused", error="No token.", kind="ticket.tell")
    message("b", state="paused", error="No project.", kind="ticket.open", created_at=NOW - HOUR)
    message("c", state="paused", error="No token.", kind="ticket.open", created_at=NOW - 2 * HOUR)
    message("d", state="queued", error="No token.")
    assert effects.pauses() == [
        effects.Pause("No token.", 2, ("ticket.open", "ticket.tell"), NOW - 2 * HOUR),
        effects.Pause("No project.", 1, ("ticket.open",), NOW - HOUR),
    ]
    assert [row.key for row in effects.paused()] == ["a", "b", "c"]


def test_what_is_stuck_and_what_is_delayed(db: None) -> None:
    message("a", state="dead", finished_at=NOW - HOUR)
    message("b", state="dead", finished_at=NOW)
    message("late", attempts=1, next_attempt_at=NOW + 2 * HOUR)
    message("soon", attempts=2, next_attempt_at=NOW + HOUR)
    message("fresh")
    assert [row.key for row in effects.stuck()] == ["b", "a"]
    assert [row.key for row in effects.delayed()] == ["soon", "late"]
