"""Reads of bills: files, their results, and their unallocated lines."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.models import Bill, BillSlice, ExchangeRate, SpendLine
from governance.bills.queries.token_costs import rows_of_bill
from governance.bills.rules import may_see_bills
from governance.jobs.enums import ENDED_BADLY, UNFINISHED
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotFound


@dataclass(frozen=True)
class OwnedLines:
    """Allocated and unallocated lines of a bill in one currency."""

    currency: str
    allocated: Decimal
    unallocated: Decimal
    lines_unallocated: int


@dataclass(frozen=True)
class BillView:
    """The data of the page of a bill."""

    bill: Bill
    slices: tuple[BillSlice, ...]
    owned: tuple[OwnedLines, ...]
    tokens: tuple[TokenRow, ...]
    rows_refused: int
    is_finished: bool
    has_failed: bool


def listed() -> QuerySet[Bill]:
    """All bills, newest first, with `slice_count`."""
    return Bill.objects.select_related("received_by").annotate(slice_count=Count("slices")).order_by("-pk")


def find(*, bill_id: int, person: Person) -> Bill:
    """The bill. Raises NotFound if it does not exist or this person may not see it."""
    bill = Bill.objects.select_related("received_by").filter(pk=bill_id).first() if may_see_bills(person) else None
    if bill is None:
        raise NotFound(f"There is no bill {bill_id} that you can see.")
    return bill


def describe(bill: Bill) -> BillView:
    """The bill with its slices, its allocated amounts and its tokens of language models."""
    report = bill.report or {}
    slices = tuple(bill.slices.select_related("replaced_by").order_by("provider", "billing_account", "period"))
    return BillView(
        bill,
        slices,
        _owned(bill),
        tuple(rows_of_bill(bill)) if report else (),
        sum(each["rows"] for each in report.get("refused", [])),
        bill.state not in UNFINISHED,
        bill.state in ENDED_BADLY,
    )


def rates() -> QuerySet[ExchangeRate]:
    """All rates, latest day first."""
    return ExchangeRate.objects.select_related("set_by").order_by("-on", "currency", "-pk")


def _owned(bill: Bill) -> tuple[OwnedLines, ...]:
    lines = SpendLine.objects.filter(slice__bill=bill).values("currency").order_by("currency")
    sums = lines.annotate(
        allocated=Sum("effective", filter=Q(rule__isnull=False), default=Decimal(0)),
        unallocated=Sum("effective", filter=Q(rule__isnull=True), default=Decimal(0)),
        lines_unallocated=Count("pk", filter=Q(rule__isnull=True)),
    )
    return tuple(OwnedLines(**row) for row in sums)
