"""Whoever takes a bill in is killed at a named point and it is done again: no half slice, no doubles, nothing lost."""

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from governance.audit.models import AuditEvent
from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation
from governance.bills.models import Bill, BillSlice, SpendLine
from governance.budgets.actions import budgets
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import LedgerEntry
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.people.models import Team
from tests.factories.bills import csv_bytes, row, written
from tests.factories.changes import publish
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.governance.bills import mortal

ROOT = Path(mortal.__file__).parents[4]
PATIENCE_S = 120
FIRST = [row(EffectiveCost="8"), row(EffectiveCost="1", ResourceId="b")]
SECOND = [row(EffectiveCost="5", ResourceId=name) for name in "abcd"]
RULES = (
    "apiVersion: weighbridge/v1\nkind: AllocationRules\nname: default\nrules:\n"
    "  - {id: all, match: {providers: [AWS]}, account: search}\n"
)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def on_record(cast: Cast, read, now: datetime) -> Bill:
    """A first bill of the month, allocated and booked: 9 dollars in two lines."""
    version = allocation.draft(source=RULES, by=cast.finance, now=now)
    publish(version=version, cast=cast, now=now)
    budgets.allocate(
        holder=Team.objects.get(slug="search"),
        quarter="2026Q3",
        unit=BudgetUnit.USD,
        amount=Decimal(1000),
        key="k",
        by=cast.finance,
        now=now,
    )
    bill = read(csv_bytes(FIRST), "first.csv")
    assert told() == (2, Decimal(9), 1, Decimal(9))
    return bill


def told() -> tuple[int, Decimal, int, Decimal]:
    """Lines, their effective dollars, slices that count, and dollars the ledger says were spent."""
    lines = SpendLine.objects.filter(slice__is_current=True).aggregate(n=Count("pk"), usd=Sum("effective"))
    assert SpendLine.objects.count() == lines["n"]  # no line of a slice that counts no more
    spent = LedgerEntry.objects.filter(kind__in=["actual", "correction"], account__unit=BudgetUnit.USD)
    current = BillSlice.objects.filter(is_current=True).count()
    return lines["n"], lines["usd"], current, spent.aggregate(usd=Sum("amount"))["usd"]


def die(installation: Path, point: str, what: object) -> None:
    """Let another process do it until it is killed there."""
    program = [sys.executable, "-m", "tests.integration.governance.bills.mortal"]
    ordered = [connection.settings_dict["NAME"], str(installation), point, str(what)]
    done = subprocess.run(
        [*program, *ordered], check=False, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == -9, done.stderr[-4000:]


def fall_silent(bill: Bill) -> None:
    """The lease of whoever was killed runs out."""
    Bill.objects.filter(pk=bill.pk, state__in=["claimed", "running"]).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


@pytest.mark.parametrize("point", mortal.READING)
def test_a_reader_that_is_killed_leaves_the_old_bill_whole_and_the_next_one_the_new(
    on_record: Bill, send, installation: Path, point: str
) -> None:
    bill = send(csv_bytes(SECOND), "second.csv")
    before = snapshot()
    die(installation, point, bill.pk)
    bill.refresh_from_db()
    if point == "after the commit":
        assert (bill.state, told()) == (JobState.DONE, (4, Decimal(20), 1, Decimal(20)))
    else:
        assert bill.state in {JobState.CLAIMED, JobState.RUNNING}
        assert snapshot() | {"Bill": []} == before | {"Bill": []}
    fall_silent(bill)
    for _ in range(2):
        bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    assert (bill.state, bill.error, bill.attempts) == (JobState.DONE, "", 1 if point == "after the commit" else 2)
    assert told() == (4, Decimal(20), 1, Decimal(20))
    assert BillSlice.objects.get(is_current=False).replaced_by == bill
    assert AuditEvent.objects.filter(kind="bill.taken_in", subject=str(bill)).count() == 1


@pytest.mark.parametrize("point", mortal.RECEIVING)
def test_a_file_sent_again_after_whoever_received_it_was_killed_is_one_bill(
    on_record: Bill, send, installation: Path, tmp_path: Path, point: str
) -> None:
    content = csv_bytes(SECOND)
    before = snapshot()
    die(installation, point, written(tmp_path, content, "second.csv"))
    if point == "after the raw file is kept":
        assert snapshot() == before
    bill = send(content, "second.csv")
    assert Bill.objects.exclude(pk=on_record.pk).get() == bill
    bills_tasks.ingest_bill(bill.pk)
    assert told() == (4, Decimal(20), 1, Decimal(20))
    assert AuditEvent.objects.filter(kind="bill.received", subject=str(bill)).count() == 1


def test_a_bill_that_kills_three_readers_is_dead_and_nothing_of_it_counts(
    on_record: Bill, send, installation: Path, now: datetime
) -> None:
    bill = send(csv_bytes(SECOND), "second.csv")
    for _ in range(bill.max_attempts):
        die(installation, "during COPY", bill.pk)
        fall_silent(bill)
    bills_tasks.ingest_bill(bill.pk)
    (dead,) = jobs.mark_dead(model=Bill, now=timezone.now())
    assert (dead, dead.state) == (bill, JobState.DEAD)
    assert "3 times" in dead.error
    assert told() == (2, Decimal(9), 1, Decimal(9))
