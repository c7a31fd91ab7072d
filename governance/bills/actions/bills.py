"""Writes of bills: received once by content, read by a worker, and counted in one transaction that replaces slices
whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import TruncMonth

from governance.audit.actions import record as audit
from governance.bills.actions import allocation
from governance.bills.actions import month_postings as postings
from governance.bills.domain import pipeline as whole
from governance.bills.domain.slices import Slice, numbered, slices_of
from governance.bills.enums import BillKind, BillOrigin
from governance.bills.models import Bill, BillSlice, SpendLine
from governance.bills.rules import check_handle_bills
from governance.inventory.actions import artifacts
from governance.inventory.actions.artifacts import Spooled
from governance.jobs import actions as jobs
from governance.jobs.enums import ENDED_BADLY, JobState
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, WrongState

if TYPE_CHECKING:
    from django.core.files import File

    from governance.bills.domain.aggregation import Gathered

TAKE_IN = "governance.bills.tasks.take_in_bill"
BILLS_LOCK = 0x62696C6C  # any number that nobody else locks


@dataclass(frozen=True)
class Delivery:
    """How a file came: what it is, through which door, of which cluster, and whether it may replace what is on record.

    `seen_as` tells a file of the watched folder from the same name with another content.
    """

    kind: BillKind = BillKind.FOCUS
    origin: BillOrigin = BillOrigin.UPLOAD
    cluster: str = ""
    refuses_existing: bool = False
    seen_as: str = ""


def receive(*, upload: "File[bytes] | Spooled", delivery: Delivery, by: User | None, now: datetime) -> Bill:
    """Keep a file and queue its reading; the same content again is the bill it already is. `by` None is the
    installation.

    Raises Invalid where its first bytes show that it is no bill; nothing is kept then.
    """
    if by is not None:
        check_handle_bills(person_of(by))
    if delivery.kind != BillKind.FOCUS and not delivery.cluster.strip():
        raise Invalid("Name the cluster this accounting is of, for example hpc-1.", field="cluster")
    with Spooled.read(upload) as spooled:
        known = _known(f"sha256:{spooled.hash}")
        if known is not None:
            return known
        order = whole.IngestOrder(name=spooled.name, kind=delivery.kind.value, cluster=delivery.cluster)
        whole.peek(spooled.path, order)
        try:
            with transaction.atomic():
                return _queue(spooled, delivery, by, now)
        except IntegrityError:  # somebody sent the same content in this very moment
            known = _known(f"sha256:{spooled.hash}")
            if known is None:
                raise
            return known


def turn_away(*, name: str, delivery: Delivery, reason: str, by: User | None, now: datetime) -> Bill:
    """Leave word of a file in the watched folder that is no bill, so that people see it and no tick tries it again."""
    with transaction.atomic():
        bill = Bill.objects.create(
            kind=delivery.kind,
            origin=delivery.origin,
            name=name[:160],
            seen_as=delivery.seen_as,
            state=JobState.FAILED,
            error=reason[:4000],
            created_at=now,
            next_attempt_at=now,
            finished_at=now,
            received_by=by,
        )
        _record("turned_away", bill, by, now, {"name": bill.name, "reason": reason[:400]})
    return bill


def take_in(*, bill: Bill, gathered: "Gathered", report: dict[str, Any], by: User | None = None, now: datetime) -> bool:
    """Count what a worker read: every slice replaced, lines copied and allocated, in one transaction or not at all.

    False, and nothing written, where the worker's lease was lost. Raises WrongState or Invalid where a slice may not be
    replaced; the bill is still the worker's then.
    """
    slices = slices_of(gathered.lines)
    with transaction.atomic():
        if not jobs.finish(row=bill, now=now, report=report, progress=1.0, phase=""):
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BILLS_LOCK])
        SpendLine.open_partitions(each.period for each in slices)
        gone = _months_of(slices)
        rows = [_replace(bill, each, now) for each in slices]
        SpendLine.copy_in(numbered(gathered.lines, [row.pk for row in rows], slices=slices))
        allocation.assign(slices=rows, by=by, now=now)
        months = {day.replace(day=1) for day in gathered.lines["day"].unique()} | gone
        postings.state_months(months=months, cause=f"bill:{bill.pk}:{bill.fence}", by=by, now=now)
        bill.refresh_from_db()
        told = {"digest": bill.digest, "rows": gathered.rows_kept, "slices": [str(each) for each in slices]}
        _record("taken_in", bill, by, now, told)
    return True


def _known(digest: str) -> Bill | None:
    return Bill.objects.exclude(state__in=ENDED_BADLY).filter(digest=digest).first()


def _queue(spooled: Spooled, delivery: Delivery, by: User | None, now: datetime) -> Bill:
    kept = artifacts.keep(upload=spooled, by=by, now=now)
    bill = Bill.objects.create(
        kind=delivery.kind,
        origin=delivery.origin,
        name=spooled.name[:160],
        digest=kept.digest,
        size_bytes=kept.size_bytes,
        stored_as=kept.stored_as,
        seen_as=delivery.seen_as,
        cluster=delivery.cluster.strip(),
        refuses_existing=delivery.refuses_existing,
        received_by=by,
        **jobs.queued(model=Bill, now=now),
    )
    _record("received", bill, by, now, {"digest": bill.digest, "name": bill.name, "kind": bill.kind})
    jobs.wake_for(row=bill)
    return bill


def _months_of(slices: Sequence[Slice]) -> set[date]:
    """The months of consumption that lines to be replaced speak of."""
    months: set[date] = set()
    for each in slices:
        lines = SpendLine.objects.filter(
            period=each.period,
            slice__provider=each.provider,
            slice__billing_account=each.billing_account,
            slice__is_current=True,
        )
        months |= set(lines.order_by().annotate(month=TruncMonth("day")).values_list("month", flat=True).distinct())
    return months


def _replace(bill: Bill, each: Slice, now: datetime) -> BillSlice:
    key = {"provider": each.provider, "billing_account": each.billing_account, "period": each.period}
    current = BillSlice.objects.select_for_update().filter(is_current=True, **key).first()
    if current is not None:
        _check_replaceable(bill, current)
        SpendLine.objects.filter(slice=current, period=current.period).delete()
        current.is_current, current.replaced_by = False, bill
        current.save(update_fields=["is_current", "replaced_by"])
    totals = [
        {"currency": currency, "billed": str(billed), "effective": str(effective)}
        for currency, (billed, effective) in each.totals.items()
    ]
    return BillSlice.objects.create(
        bill=bill,
        period_end=each.period_end,
        rows=each.rows,
        lines_count=each.lines,
        gpu_hours=each.gpu_hours,
        totals=totals,
        read_at=now,
        **key,
    )


def _check_replaceable(bill: Bill, current: BillSlice) -> None:
    if bill.refuses_existing:
        raise Invalid(
            f"{current} is already on record from {current.bill}, and this file was sent as one that replaces nothing. "
            "Send it again as a restatement if it corrects that bill.",
            field="file",
            code="duplicate_period",
        )
    if current.bill_id > bill.pk:
        raise WrongState(
            f"{current} was read from {current.bill}, which came later than this file; the later one counts.",
            code="superseded",
        )


def _check_not_sent_again(bill: Bill) -> None:
    known = _known(bill.digest)
    if known is not None:
        raise WrongState(f"The same content was sent again and is {known}; look there.")


def _record(word: str, bill: Bill, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"bill.{word}", by=by, subject=("bill", str(bill)), details=details, now=now)


register(
    JobKind(
        model=Bill,
        queues={TAKE_IN: Q()},
        name=str,
        silence="The worker went silent {attempts} times; the file may exhaust the machine.",
        check=lambda person, _: check_handle_bills(person),
        may_retry=lambda bill: bill.state in ENDED_BADLY and bool(bill.stored_as),
        retried="a kept file that failed or was canceled is read again",
        before_retry=_check_not_sent_again,
        reset=lambda _: {"error": "", "progress": 0.0, "phase": ""},
        record=_record,
    )
)
