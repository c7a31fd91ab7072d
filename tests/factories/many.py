"""Thousands of rows that are copies of one, written by one statement for each table."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Model

from governance.jobs.models import OutboxMessage
from governance.notifications.models import Notification
from governance.site.models import AnsweredPost
from reviews.authorizations.models import Condition
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from tests.masses import analyze, search_entered_at_the_end

FIRST = 1_000_000
LATER = timedelta(days=300)


def copies(row: Model, count: int, *, first: int = FIRST, **changes: str) -> None:
    """Write copies of the row with the IDs from `first` on. `changes` are expressions of SQL, in which g is the ID."""
    fields = row._meta.concrete_fields
    given = {field.column: changes.get(field.column, f'"{field.column}"') for field in fields} | {"id": "g"}
    columns, values = ", ".join(f'"{name}"' for name in given), ", ".join(given.values())
    table = row._meta.db_table
    ids = f"generate_series({first}, {first + count - 1}) AS g"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, {ids} WHERE id = {row.pk}")


def at(time: datetime) -> str:
    """The time as an expression."""
    return f"'{time.isoformat()}'::timestamptz"


def authorized(decided: ReviewRequest, count: int, *, first: int = FIRST, **changes: str) -> None:
    """Copies of a decided request with its decision and its authorization, which gets the changes."""
    copies(decided, count, first=first, ref="'REQ-' || g")
    copies(decided.decision, count, first=first, request_id="g")
    fields = {"number": "'AUT-' || g", "decision_id": "g", "subject_digest": "'sha256:' || md5(g::text)"}
    copies(decided.decision.authorization, count, first=first, **(fields | changes))


def owed(decided: ReviewRequest, count: int, *, first: int = FIRST, due: datetime) -> None:
    """An open condition for each of these authorizations."""
    person, row = decided.requester, decided.decision.authorization
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Condition._meta.db_table} (authorization_id, text, owner_id, due_on, set_by_id)"
            " SELECT id, 'Measure again', %s, %s, %s FROM authorizations_authorization WHERE id >= %s AND id < %s",
            [person.pk, due.date(), person.pk, first, first + count],
        )
    assert not row.conditions.exists()


def history(decided: ReviewRequest, packet: Packet, count: int, *, first: int = FIRST, now: datetime) -> None:
    """So many rows of each table that the tick looks at: of the past, or due long after `now`. None is due."""
    with search_entered_at_the_end():
        _fill(decided, packet, count, first, now)
    analyze()


def _fill(decided: ReviewRequest, packet: Packet, count: int, first: int, now: datetime) -> None:
    later, past = at(now + LATER), at(now - LATER)
    half = count // 2
    times = {"issued_at": at(now - 2 * LATER), "granted_until": later, "expires_at": later, "warn_at": later}
    authorized(decided, half, first=first, **times)
    owed(decided, half, first=first, due=now + LATER)
    ended = times | {"granted_until": past, "expires_at": past, "warn_at": past, "state": "'expired'"}
    authorized(decided, half, first=first + half, **ended)
    owed(decided, half, first=first + half, due=now - LATER)
    cleared = {
        "ref": "'CLR-' || g",
        "purpose": "'Purpose ' || g",
        "state": "'cleared'",
        "deadline_at": later,
        "grace_ends_at": later,
    }
    copies(decided, count, first=first + count, **cleared)
    copies(packet, count, first=first, number="g", state="'done'", next_attempt_at=past)
    message = OutboxMessage(kind="test", key="one", lane="one", next_attempt_at=now, created_at=now, state="done")
    message.save()
    copies(message, count, first=first, key="'done-' || g", lane="'lane-' || (g % 100)")
    waiting = {"key": "'later-' || g", "lane": "'later-' || g", "state": "'queued'", "next_attempt_at": later}
    copies(message, count, first=first + count, **waiting)
    message.delete()
    post = AnsweredPost.objects.create(user=decided.requester, key="one", fingerprint="f", received_at=now)
    copies(post, count, first=first, key="'post-' || g")
    post.delete()
    note = Notification(key="one", kind="comment", person=decided.requester, reference="r", path="/", pace="digest")
    note.made_at = now
    note.save()
    copies(note, count, first=first, key="'note-' || g")
    note.delete()
