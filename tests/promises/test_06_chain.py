"""Promise 6: eight processes that record at the same time make one unbroken chain, and a checkpoint of it holds.

`WEIGHBRIDGE_PROMISES=long` records a thousand events in each, and writes the rate into docs/reference/promises.md.
"""

import multiprocessing
import os
import time
from datetime import datetime

import pytest
from django.db import connections, transaction

from governance.audit.actions import checkpoints as writes
from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.audit.queries import checkpoints
from governance.audit.queries.keys import public_key
from governance.audit.queries.trail import first_broken
from tests.integration.conftest import installation, now, signing_key_pem
from tests.promises import harness_report
from tests.promises.tickets import LONG

__all__ = ["installation", "now", "signing_key_pem"]
PROCESSES = 8
EVENTS_EACH = 1000 if LONG else 60
PATIENCE_S = 300


def write(name: int, at: datetime, start: float) -> None:
    """One process: a transaction of its own for every event, on a connection of its own."""
    inherited = [each.connection for each in connections.all(initialized_only=True)]
    for each in connections.all(initialized_only=True):
        each.connection = None  # closing it would close the one of the process this was forked from
    assert len(inherited) <= 1
    while time.monotonic() < start:
        time.sleep(0.001)
    for number in range(EVENTS_EACH):
        with transaction.atomic():
            audit.record(kind="test.event", by=None, subject=("thing", f"{name}:{number}"), now=at)


@pytest.mark.django_db(transaction=True)
def test_eight_processes_make_one_unbroken_chain(now: datetime) -> None:
    connections.close_all()  # a connection does not survive a fork
    fork = multiprocessing.get_context("fork")
    load = round(os.getloadavg()[0], 1)
    start = time.monotonic() + 1
    writers = [fork.Process(target=write, args=(name, now, start)) for name in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(PATIENCE_S)
    taken_s = time.monotonic() - start
    assert [writer.exitcode for writer in writers] == [0] * PROCESSES
    count = PROCESSES * EVENTS_EACH
    assert list(AuditEvent.objects.order_by("position").values_list("position", flat=True)) == list(range(1, count + 1))
    broken = first_broken()
    assert broken is None
    for name in range(PROCESSES):
        own = AuditEvent.objects.filter(subject__startswith=f"{name}:").order_by("position")
        assert list(own.values_list("subject", flat=True)) == [f"{name}:{number}" for number in range(EVENTS_EACH)]
    row = writes.sign_head(now=now)
    assert row is not None
    assert (row.count, checkpoints.contradictions(public_keys=[public_key()])) == (count + 1, [])
    print(f"{count} events by {PROCESSES} processes in {taken_s:.1f} s: {count / taken_s:.0f}/s")
    harness_report.tell(
        "chain",
        __file__,
        broker="none",
        database="PostgreSQL 18, embedded",
        processes=PROCESSES,
        events=count,
        unbroken=broken is None,
        elapsed_s=round(taken_s, 1),
        events_per_s=round(count / taken_s),
        load=load,
    )
