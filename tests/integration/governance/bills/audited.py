"""How to call every write of bills, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.files.base import ContentFile

from governance.bills.actions import allocation, bills, rates
from governance.bills.actions import month_postings as postings
from governance.bills.domain.allocation.rules import FieldPattern, Rule
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.domain.file_kind import UnpackLimits
from governance.bills.domain.pipeline import BillFile, read_bill
from governance.bills.models import Bill, BillSlice
from governance.jobs import actions as jobs
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes
from tests.factories.changes import REASON
from tests.factories.models import make_version
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]
MINUTE = timedelta(minutes=1)


def received(cast: Cast, now: datetime) -> Bill:
    upload = ContentFile(csv_bytes(), name="bill.csv")
    return bills.receive(upload=upload, delivery=bills.Delivery(), by=cast.finance, now=now)


def held(cast: Cast, now: datetime) -> Bill:
    bill = Bill.claim(pk=received(cast, now).pk, now=now, lease=MINUTE)
    assert bill is not None
    return bill


def taken_in(cast: Cast, now: datetime) -> Bill:
    bill = held(cast, now)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bill.csv"
        path.write_bytes(csv_bytes())
        order = BillFile("bill.csv")
        gathered, report = read_bill(path, order, folder=Path(folder), caps=UnpackLimits(), on_share=lambda *_: None)
    assert bills.ingest(bill=bill, gathered=gathered, report=report, now=now)
    return bill


def _published(cast: Cast, now: datetime) -> None:
    make_version(by=cast.author, now=now)
    publish_rules(cast=cast, now=now)


def _drafted(cast: Cast, now: datetime) -> None:
    make_version(by=cast.author, now=now)
    allocation.draft(source=RULES, by=cast.finance, now=now)


def _assigned(cast: Cast, now: datetime) -> None:
    _published(cast, now)
    taken_in(cast, now)
    allocation.assign(slices=list(BillSlice.objects.all()), now=now)


def _retried(cast: Cast, now: datetime) -> None:
    bill = jobs.cancel(row=received(cast, now), by=cast.finance, now=now)
    jobs.retry(row=bill, by=cast.finance, now=now)


def _buried(cast: Cast, now: datetime) -> None:
    held(cast, now)
    Bill.objects.update(attempts=3)
    jobs.mark_dead(model=Bill, now=now + 2 * MINUTE)


ACTIONS: Mapping[str, Call] = {
    "governance.bills.actions.bills.receive": received,
    "governance.bills.actions.bills.reject_file": lambda cast, now: bills.reject_file(
        name="notes.txt", delivery=bills.Delivery(), reason="It is no bill.", by=None, now=now
    ),
    "governance.bills.actions.bills.ingest": taken_in,
    "governance.bills.actions.allocation.draft": _drafted,
    "governance.bills.actions.allocation.propose_rule": lambda cast, now: allocation.propose_rule(
        rule=Rule("new", (FieldPattern("sku", ("x",)),), "search"), base=None, reason=REASON, by=cast.finance, now=now
    ),
    "governance.bills.actions.allocation.publish": _published,
    "governance.bills.actions.allocation.assign": _assigned,
    "governance.bills.actions.month_postings.post_months": lambda cast, now: postings.post_months(
        months=[date(2026, 9, 1)], cause="test", now=now
    ),
    "governance.bills.actions.rates.set_rate": lambda cast, now: rates.set_rate(
        rate=CurrencyRate("EUR", date(2026, 9, 30), Decimal("1.1"), "ECB"), by=cast.finance, now=now
    ),
}

JOBS: Mapping[str, Call] = {
    "bill.canceled": lambda cast, now: jobs.cancel(row=received(cast, now), by=cast.finance, now=now),
    "bill.failed": lambda cast, now: jobs.fail(row=held(cast, now), reason="Cut off.", now=now),
    "bill.dead": _buried,
    "bill.retried": _retried,
}
