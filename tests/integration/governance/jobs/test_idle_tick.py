"""A tick without anything to do asks the same few queries and reads the same few rows, whatever exists."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from governance.audit.models import AuditEvent
from governance.jobs import actions as jobs
from governance.jobs import ticks
from governance.jobs.models import OutboxMessage, Pulse
from governance.people.models import Team
from reviews.authorizations.models import Authorization
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from tests.factories.many import FIRST, LATER, history
from tests.factories.people import Cast

FEW, MANY = 10, 5_000
QUERIES_MAX, ROWS_MAX = 8, 150
SECOND = timedelta(seconds=1)
TRANSACTION = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")


def beat(now: datetime) -> None:
    """One tick as the command runs it."""
    jobs.observe_clock(now=now, database=now)
    ticks.tick(now=now)


def asked(now: datetime) -> list[str]:
    """The queries of a tick at this time."""
    with CaptureQueriesContext(connection) as captured:
        beat(now)
    return [query["sql"] for query in captured if not query["sql"].startswith(TRANSACTION)]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def rows_read(sql: str) -> dict[str, int]:
    """The rows of each table that the query read, also those that it then left out."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
        (document,) = cursor.fetchone()
        transaction.set_rollback(True)
    parsed = json.loads(document) if isinstance(document, str) else document
    read: dict[str, int] = {}
    for node in nodes(parsed[0]["Plan"]):
        if name := node.get("Relation Name"):
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read[name] = read.get(name, 0) + (node.get("Actual Rows", 0) + removed) * node["Actual Loops"]
    return read


@pytest.fixture
def quiet(packet: Packet, now: datetime) -> datetime:
    """A time after which no minute and no hour begins soon, when everything regular was done."""
    at = (now + timedelta(hours=1)).replace(minute=1, second=0, microsecond=0)
    for _ in range(3):
        beat(at)
    OutboxMessage.objects.update(state="done")
    beat(at)
    return at


@pytest.fixture
def packet(decided: ReviewRequest, cast: Cast, now: datetime) -> Packet:
    """A packet of a decided request, and nothing that is due: a few ticks have done everything."""
    frozen = packets.freeze(request=decided, by=cast.author, now=now)
    for _ in range(3):
        beat(now)
    OutboxMessage.objects.update(state="done")
    Packet.objects.update(state="done")
    connection.cursor().execute("UPDATE runs_run SET next_attempt_at = next_attempt_at + interval '1 year'")
    beat(now)
    return frozen


def test_an_idle_tick_costs_the_same_whatever_exists(packet: Packet, decided: ReviewRequest, quiet: datetime) -> None:
    history(decided, packet, FEW, now=quiet)
    few = asked(quiet + SECOND)
    history(decided, packet, MANY, first=FIRST + MANY, now=quiet)
    assert Authorization.objects.count() > MANY
    many = asked(quiet + 2 * SECOND)
    assert len(few) == len(many) <= QUERIES_MAX, many
    assert {sql: most for sql in many if (most := max(rows_read(sql).values(), default=0)) > ROWS_MAX} == {}
    assert not any(word in sql for sql in many for word in ("FOR UPDATE", "pg_advisory"))


def test_what_is_done_every_so_often_asks_few_queries_too(
    packet: Packet, decided: ReviewRequest, quiet: datetime
) -> None:
    counts = []
    for number, size in ((1, FEW), (2, MANY)):
        history(decided, packet, size, first=FIRST * number, now=quiet)
        counts.append(len(asked(quiet + number * timedelta(minutes=1))))
    assert counts[0] == counts[1] <= 3 * QUERIES_MAX


def test_each_table_of_the_past_is_full(packet: Packet, decided: ReviewRequest, now: datetime) -> None:
    """The rows that the two tests write are of the kinds that would be due at another time."""
    history(decided, packet, FEW, now=now)
    due = ticks.due_parts(ticks.PARTS, now=now + LATER + timedelta(days=1))
    found = {ticks.PARTS[number].run.__name__ for number in due}
    assert {"expire_due", "sign_daily"} <= found
    assert AuditEvent.objects.exists()
    assert Pulse.objects.exists()
    assert Team.objects.exists()
