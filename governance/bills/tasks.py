"""Tasks for workers and the tick."""

import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import shared_task
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.bills.actions import allocation, bills
from governance.bills.actions import month_postings as postings
from governance.bills.domain.file_kind import UnpackLimits
from governance.bills.domain.pipeline import BillFile, read_bill
from governance.bills.enums import BillOrigin
from governance.bills.locking import lock_bills
from governance.bills.models import Bill, BillSlice
from governance.bills.queries.month_postings import months_to_post
from governance.bills.queries.spend import months_of_use
from governance.budgets.domain.quarters import Quarter
from governance.budgets.queries.budgets import newest_account
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs import outbox, ticks
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.jobs.signs_of_life import lease_renewed
from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from governance.bills.domain.aggregation import AggregatedBill


log = logging.getLogger(__name__)
PROGRESS_EVERY_S = 0.5
QUIET_FOR_S = 60.0
LOOK_EVERY, RECEIVED_AT_ONCE = timedelta(seconds=10), 20
ASSIGNED_TOGETHER = 50
POST = "bills.post"


class _LeaseLost(Exception):  # noqa: N818 -- an answer, not a malfunction
    """The bill was canceled or given to another worker. Raised in the reading thread to stop it."""


class _ProgressWriter:
    """Passes progress from the reading thread to the thread with the database connection."""

    def __init__(self, bill: Bill) -> None:
        self.bill, self.share, self.phase, self.is_held = bill, 0.0, "fetching the file", True

    def hear(self, share: float, phase: str) -> None:
        """Called by the reading thread. Raises when this worker has lost the bill."""
        self.share, self.phase = min(max(share, 0.0), 1.0), phase[:120]
        if not self.is_held:
            raise _LeaseLost

    def write(self) -> None:
        """Renew the lease and save the progress."""
        self.is_held = jobs.renew(
            row=self.bill, now=timezone.now(), state=JobState.RUNNING, progress=self.share, phase=self.phase
        )


@shared_task
def ingest_bill(bill_id: int) -> None:
    """Read and count one bill, if it is due and no other worker has it."""
    bill = jobs.claim(model=Bill, pk=bill_id, now=timezone.now())
    if bill is None:
        return
    folders = tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR)
    with audit.origin("job"), folders as folder, lease_renewed(bill):
        try:
            aggregated, report = _read(bill, Path(folder))
            bills.ingest(bill=bill, gathered=aggregated, report=report, now=timezone.now())
        except _LeaseLost:
            log.warning("%s was canceled or given to another worker.", bill)
        except Refused as refusal:
            jobs.fail(row=bill, reason=refusal.reason, now=timezone.now())
        except Exception as error:
            log.exception("%s failed because of an internal error.", bill)
            jobs.put_back(row=bill, error=error, now=timezone.now())


def _read(bill: Bill, folder: Path) -> "tuple[AggregatedBill, dict[str, Any]]":
    follower = _ProgressWriter(bill)
    follower.write()
    path = folder / "received"
    stored_files.fetch(digest=bill.digest, target=path, now=timezone.now())
    order = BillFile(name=bill.name, kind=bill.kind, cluster=bill.cluster)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_bill, path, order, folder=folder, caps=UnpackLimits(), on_share=follower.hear)
        _follow(reading, follower)
        return reading.result()


def _follow(reading: "Future[Any]", follower: _ProgressWriter) -> None:
    while not reading.done():
        time.sleep(PROGRESS_EVERY_S)
        follower.write()


@outbox.handles(allocation.ASSIGN)
def reassign_lines(message: OutboxMessage) -> None:
    """Apply the published rules to all lines again, and update the ledger."""
    with transaction.atomic():
        lock_bills()  # a bill that is being stored may still apply the previous rules; a later one applies these
        rows = list(BillSlice.objects.filter(is_current=True).order_by("pk"))
    for start in range(0, len(rows), ASSIGNED_TOGETHER):
        allocation.assign(slices=rows[start : start + ASSIGNED_TOGETHER], now=timezone.now())
    _post(months_of_use(), cause=message.payload["cause"])


# Once a day, and again after an account is opened: its bills may have come before.
ticks.regularly(POST, period=ticks.DAILY, lane="bills", of=newest_account)


@outbox.handles(POST)
def post_open_quarters(message: OutboxMessage) -> None:
    """Update the ledger of the quarters with open accounts to the current bills."""
    _post(months_to_post(now=timezone.now()), cause=message.key)


def _post(months: Sequence[date], *, cause: str) -> None:
    """Post each quarter in a transaction of its own, because its accounts are locked until the end."""
    for _, group in groupby(months, Quarter.of):
        postings.post_months(months=group, cause=cause, now=timezone.now())


WHILE_READING = timedelta(minutes=10)
"""A file can take longer to read and to store than a tick may say nothing."""


@ticks.on_tick(every=LOOK_EVERY)
def watch_folder(now: datetime) -> bool:
    """Receive new files of the watched folder that have not changed for a minute. Returns whether there are more."""
    folder = settings.WEIGHBRIDGE["BILLS_FOLDER"]
    quiet = dict(_quiet_files(Path(folder), now)) if folder else {}
    seen = set(Bill.objects.filter(seen_as__in=quiet).values_list("seen_as", flat=True)) if quiet else set()
    new = sorted(quiet.keys() - seen)
    if new:
        ticks.allow_silence(WHILE_READING)
    for seen_as in new[:RECEIVED_AT_ONCE]:
        _receive(quiet[seen_as], seen_as, now)
    return len(new) > RECEIVED_AT_ONCE


def _quiet_files(folder: Path, now: datetime) -> Iterator[tuple[str, Path]]:
    """The name, size and time of each file that has not changed for a minute, and its path."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not entry.is_file():
                continue
            stat = entry.stat()
            if now.timestamp() - stat.st_mtime >= QUIET_FOR_S:
                yield f"{entry.name}:{stat.st_size}:{stat.st_mtime_ns}", Path(entry.path)


def _receive(path: Path, seen_as: str, now: datetime) -> None:
    delivery = bills.Delivery(origin=BillOrigin.FOLDER, seen_as=seen_as)
    try:
        with path.open("rb") as file:
            bill = bills.receive(upload=File(file, name=path.name), delivery=delivery, by=None, now=now)
        if bill.seen_as != seen_as:  # recorded, or the file would be looked at for ever
            same = f"Its content was received before, as {bill.name} on {bill.created_at:%Y-%m-%d}."
            bills.reject_file(name=path.name, delivery=delivery, reason=same, by=None, now=now)
    except Refused as refusal:
        bills.reject_file(name=path.name, delivery=delivery, reason=refusal.reason, by=None, now=now)
