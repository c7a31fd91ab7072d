"""Writes of bills. A bill is received once for each content, read by a worker, and replaces complete slices."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.bills.actions import allocation
from governance.bills.actions import month_postings as postings
from governance.bills.domain import pipeline as whole
from governance.bills.domain.file_kind import bad_file
from governance.bills.enums import BillKind, BillOrigin
from governance.bills.locking import lock_bills
from governance.bills.models import Bill, BillSlice, SpendLine
from governance.bills.rules import check_handle_bills
from governance.inventory.actions import artifacts
from governance.inventory.actions.artifacts import SpooledUpload
from governance.jobs import actions as jobs
from governance.jobs.enums import ENDED_BADLY, JobState
from governance.jobs.kinds import JobKind, register
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, WrongState

if TYPE_CHECKING:
    from django.core.files import File

    from governance.bills.domain.aggregation import AggregatedBill
    from governance.bills.domain.slices import Slice

INGEST_TASK = "governance.bills.tasks.ingest_bill"


@dataclass(frozen=True)
class Delivery:
    """How a file was received: its kind, its origin, its cluster or account, and whether it may replace existing data.

    For a file from the watched folder, `seen_as` distinguishes files with the same name but other content.
    """

    kind: BillKind = BillKind.FOCUS
    origin: BillOrigin = BillOrigin.UPLOAD
    cluster: str = ""
    refuses_existing: bool = False
    seen_as: str = ""


def receive(*, upload: "File[bytes] | SpooledUpload", delivery: Delivery, by: User | None, now: datetime) -> Bill:
    """Store a file and queue it for a worker.

    If the content was received before, return the existing bill. `by` None is the system. Raises Invalid, and stores
    nothing, if the first bytes show that the file is not a bill.
    """
    if by is not None:
        check_handle_bills(person_of(by))
    if delivery.kind != BillKind.FOCUS and not delivery.cluster.strip():
        raise Invalid("Give the name of the cluster or of the account, for example hpc-1.", field="cluster")
    with SpooledUpload.read(upload) as spooled:
        existing = _existing_bill(f"sha256:{spooled.hash}")
        if existing is not None:
            return existing
        order = whole.BillFile(name=spooled.name, kind=delivery.kind.value, cluster=delivery.cluster)
        whole.sniff(spooled.path, order)
        spooled.put(by=by, now=now)
        try:
            with transaction.atomic():
                return _queue(spooled, delivery, by, now)
        except IntegrityError:  # another request stored the same content at the same time
            existing = _existing_bill(f"sha256:{spooled.hash}")
            if existing is None:
                raise
            return existing


def reject_file(*, name: str, delivery: Delivery, reason: str, by: User | None, now: datetime) -> Bill:
    """Record a rejected file of the watched folder as a failed bill, for people to see and not to be tried again."""
    ended = {"state": JobState.FAILED, "error": reason[:4000], "finished_at": now}
    with transaction.atomic():
        bill = _create(name, delivery, by, created_at=now, next_attempt_at=now, **ended)
        _record("turned_away", bill, by, now, {"name": bill.name, "reason": reason[:400]})
    return bill


def ingest(
    *, bill: Bill, gathered: "AggregatedBill", report: dict[str, Any], by: User | None = None, now: datetime
) -> bool:
    """Store the result of a worker: replace the slices, copy the lines, allocate and post them, in one transaction.

    Returns False and writes nothing if the worker lost its lease. Raises WrongState or Invalid if a slice must not be
    replaced; the worker still holds the bill then.
    """
    slices, months = gathered.slices, {day.replace(day=1) for day in gathered.lines["day"].unique()}
    for month in {*months, *(each.period for each in slices)}:
        whole.check_month(month, today=now.date())
    with transaction.atomic():
        if not jobs.finish(row=bill, now=now, report=report, progress=1.0, phase=""):
            return False
        lock_bills()
        SpendLine.open_partitions(each.period for each in slices)
        months = months.union(*(_retire_current(bill, each) for each in slices))
        rows = [_stored(bill, each, now) for each in slices]
        SpendLine.copy_in(gathered.numbered([row.pk for row in rows]))
        allocation.assign(slices=rows, months=months, by=by, now=now)
        cause = f"bill:{bill.pk}:{bill.fence}"
        postings.post_months(months=months, cause=cause, sender=bill.received_by, by=by, now=now)
        bill.refresh_from_db()
        details = {"digest": bill.digest, "rows": gathered.rows_kept, "slices": [str(each) for each in slices]}
        _record("taken_in", bill, by, now, details)
    return True


def _existing_bill(digest: str) -> Bill | None:
    return Bill.objects.exclude(state__in=ENDED_BADLY).filter(digest=digest).first()


def _queue(spooled: SpooledUpload, delivery: Delivery, by: User | None, now: datetime) -> Bill:
    stored = artifacts.store(upload=spooled, by=by, now=now)
    content = {"digest": stored.digest, "size_bytes": stored.size_bytes, "stored_as": stored.stored_as}
    bill = _create(spooled.name, delivery, by, **content, **jobs.queued(model=Bill, now=now))
    _record("received", bill, by, now, {"digest": bill.digest, "name": bill.name, "kind": bill.kind})
    jobs.wake_for(row=bill)
    return bill


def _create(name: str, delivery: Delivery, by: User | None, **fields: Any) -> Bill:
    received = {**vars(delivery), "cluster": delivery.cluster.strip(), "name": name[:160], "received_by": by}
    return Bill.objects.create(**received, **fields)


def _retire_current(bill: Bill, each: "Slice") -> set[date]:
    """Retire the data that a slice replaces. Returns the months of consumption of the lines that were deleted."""
    key = {"provider": each.provider, "billing_account": each.billing_account, "period": each.period}
    current = BillSlice.objects.select_for_update(no_key=True).filter(is_current=True, **key).first()
    if current is None:
        return set()
    _check_replaceable(bill, current)
    months = set(current.sums.values_list("month", flat=True))
    SpendLine.objects.filter(slice=current, period=current.period).delete()
    current.is_current, current.replaced_by = False, bill
    current.save(update_fields=["is_current", "replaced_by"])
    return months


def _stored(bill: Bill, each: "Slice", now: datetime) -> BillSlice:
    totals = [
        {"currency": currency, "billed": str(billed), "effective": str(effective)}
        for currency, (billed, effective) in each.totals.items()
    ]
    return BillSlice.objects.create(**{**vars(each), "totals": totals}, bill=bill, read_at=now)


def _check_replaceable(bill: Bill, current: BillSlice) -> None:
    if bill.refuses_existing:
        raise bad_file(
            "duplicate_period",
            f"{current} already has data from {current.bill}, and this file was sent with the option not to replace "
            "existing data. If it corrects that bill, send it again without the option.",
        )
    if current.bill_id > bill.pk:
        raise WrongState(
            f"{current} has data from {current.bill}, which was received later than this file. The later bill counts.",
            code="superseded",
        )


def _check_not_sent_again(bill: Bill) -> None:
    other = _existing_bill(bill.digest)
    if other is not None:
        raise WrongState(f"The same content was sent again as {other}. See that bill.")


def _record(word: str, bill: Bill, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"bill.{word}", by=by, subject=("bill", str(bill)), details=details, now=now)


register(
    JobKind(
        model=Bill,
        queues={INGEST_TASK: Q()},
        name=str,
        silence="The worker stopped responding {attempts} times. The file may need more memory than the machine has.",
        check=lambda person, _: check_handle_bills(person),
        may_retry=lambda bill: bill.state in ENDED_BADLY and bool(bill.stored_as),
        retried="a stored file that failed or was canceled can be read again",
        before_retry=_check_not_sent_again,
        reset=lambda _: {"error": "", "progress": 0.0, "phase": ""},
        record=_record,
    )
)
