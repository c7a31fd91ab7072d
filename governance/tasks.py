"""Celery tasks of the ground floor: delivering the outbox, reading bills, and the tick's sign of life."""

import logging
import shutil
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import shared_task
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import storages
from django.core.mail import send_mail
from django.utils import timezone

from governance import audit, outbox, wakeups
from governance.actions import (
    accounts,
    allocation,
    answers,
    bills,
    budget_changes,
    changes,
    checkpoints,
    postings,
    quarter_end,
)
from governance.domain.accounts import TOLD, Happening
from governance.domain.bills.content import Caps
from governance.domain.bills.whole import Order, read_bill
from governance.domain.refusals import Refused, WrongState
from governance.enums import BillOrigin, JobState
from governance.models import Bill, BillSlice, OutboxMessage, Pulse
from governance.queries.checkpoints import latest
from governance.queries.operation import TICK
from governance.queries.spend import months_of_use

if TYPE_CHECKING:
    from governance.domain.bills.gathering import Gathered

CHECKPOINT_EVERY = timedelta(days=1)
IF_IT_WAS_NOT_YOU = "If you did not do this and asked nobody to, tell an administrator at once."
PROGRESS_EVERY_S = 0.5
QUIET_FOR_S = 60.0
ASSIGNED_TOGETHER = 50
log = logging.getLogger(__name__)


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and nobody else has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())


class _LeaseLost(Exception):  # noqa: N818 -- an answer, not a malfunction
    """The bill was cancelled or given to another worker; raised inside the reading to end it."""


class _Follower:
    """What the reading thread says of its progress, for the thread that holds the database connection to write down."""

    def __init__(self, bill: Bill) -> None:
        self.bill, self.share, self.phase, self.is_held = bill, 0.0, "fetching the file", True

    def hear(self, share: float, phase: str) -> None:
        """Called by the reading thread; ends it once the bill is not this worker's any more."""
        self.share, self.phase = min(max(share, 0.0), 1.0), phase[:120]
        if not self.is_held:
            raise _LeaseLost

    def write(self) -> None:
        """Keep the lease and show where the reading is."""
        self.is_held = self.bill.renew(
            now=timezone.now(), lease=outbox.lease(), state=JobState.RUNNING, progress=self.share, phase=self.phase
        )


@shared_task
def take_in_bill(bill_id: int) -> None:
    """Read one bill and count it, if it is due and nobody else has it."""
    bill = Bill.claim(pk=bill_id, now=timezone.now(), lease=outbox.lease())
    if bill is None:
        return
    with audit.origin("job"), tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        try:
            gathered, report = _read(bill, Path(folder))
            bills.take_in(bill=bill, gathered=gathered, report=report, now=timezone.now())
        except _LeaseLost:
            log.warning("%s was cancelled or given to another worker.", bill)
        except Refused as refusal:
            bills.fail(bill=bill, reason=refusal.reason, now=timezone.now())
        except Exception as error:
            log.exception("%s met a fault of ours, not of the file's.", bill)
            wait = outbox.backoff(bill.attempts)
            bill.hand_back(now=timezone.now(), error=f"{type(error).__name__}: {error}", wait=wait)


def _read(bill: Bill, folder: Path) -> "tuple[Gathered, dict[str, Any]]":
    follower = _Follower(bill)
    follower.write()
    path = folder / "received"
    with storages["artifacts"].open(bill.stored_as) as source, path.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    order = Order(name=bill.name, kind=bill.kind, cluster=bill.cluster)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_bill, path, order, folder=folder, caps=Caps(), on_share=follower.hear)
        _follow(reading, follower)
        return reading.result()


def _follow(reading: "Future[Any]", follower: _Follower) -> None:
    while not reading.done():
        time.sleep(PROGRESS_EVERY_S)
        follower.write()


@outbox.handles(allocation.ASSIGN)
def assign_anew(message: OutboxMessage) -> None:
    """Let the rules in force say anew to whom every line on record belongs, and the ledger what that comes to."""
    rows = list(BillSlice.objects.filter(is_current=True).order_by("pk"))
    for start in range(0, len(rows), ASSIGNED_TOGETHER):
        allocation.assign(slices=rows[start : start + ASSIGNED_TOGETHER], now=timezone.now())
    postings.state_months(months=months_of_use(), cause=message.payload["cause"], now=timezone.now())


@outbox.on_tick
def redrive_bills(now: datetime) -> None:
    """Bury what went silent too often, wake workers for bills that are due."""
    bills.bury(now=now)
    wakeups.announce(Bill, bills.TAKE_IN, now=now)


@outbox.on_tick
def watch_folder(now: datetime) -> None:
    """Receive every file of the watched folder that has lain still for a minute and was not seen before."""
    folder = settings.WEIGHBRIDGE["BILLS_FOLDER"]
    if not folder:
        return
    for path in sorted(each for each in Path(folder).iterdir() if each.is_file() and not each.name.startswith(".")):
        found = path.stat()
        seen_as = f"{path.name}:{found.st_size}:{found.st_mtime_ns}"
        is_quiet = now.timestamp() - found.st_mtime >= QUIET_FOR_S
        if is_quiet and not Bill.objects.filter(seen_as=seen_as).exists():
            _receive(path, seen_as, now)


def _receive(path: Path, seen_as: str, now: datetime) -> None:
    delivery = bills.Delivery(origin=BillOrigin.FOLDER, seen_as=seen_as)
    try:
        with path.open("rb") as file:
            bills.receive(upload=File(file, name=path.name), delivery=delivery, by=None, now=now)
    except Refused as refusal:
        bills.turn_away(name=path.name, delivery=delivery, reason=refusal.reason, by=None, now=now)


@outbox.on_tick
def forget_answers(now: datetime) -> None:
    """Keep the table of answered POSTs from growing for ever."""
    answers.forget(now=now)


@outbox.on_tick
def end_unconfirmed(now: datetime) -> None:
    """Close proposals that no second person confirmed in time."""
    changes.expire(now=now)
    budget_changes.expire(now=now)


@outbox.on_tick
def end_quarters(now: datetime) -> None:
    """Let what was left of a quarter that is over expire, once."""
    quarter_end.close_quarters(now=now)


@outbox.on_tick
def sign_daily(now: datetime) -> None:
    """Sign the head of the audit trail once a day; packets do so more often."""
    last = latest()
    if last is not None and last.at > now - CHECKPOINT_EVERY:
        return
    try:
        checkpoints.keep(now=now)
    except WrongState as refusal:
        log.warning("The audit trail has no checkpoint of today. %s", refusal.reason)


@outbox.on_tick
def leave_a_sign(now: datetime) -> None:
    """Let pages and probes see that the tick is alive."""
    Pulse.note(name=TICK, at=now)


@outbox.handles(accounts.TELL)
def tell_owner(message: OutboxMessage) -> None:
    """Tell somebody by mail what happened to their account; an account that is gone is told nothing."""
    user = User.objects.filter(pk=message.payload["user"]).exclude(email="").first()
    if user is not None:
        said, at = TOLD[Happening(message.payload["happening"])], datetime.fromisoformat(message.payload["at"])
        where = f"{settings.WEIGHBRIDGE['BASE_URL']}/accounts/2fa/"
        text = f"{said}\n\nIt was on {at:%Y-%m-%d at %H:%M} UTC. {IF_IT_WAS_NOT_YOU}\n\n{where}\n"
        send_mail(f"Weighbridge: {said}", text, None, [user.email])
