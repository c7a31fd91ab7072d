"""Reads of bills: files, their results, and their unallocated lines."""

from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Count, QuerySet

from governance.bills.domain.allocation.breakdown import CurrencyTotal
from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.models import Bill, BillSlice, ExchangeRate
from governance.bills.queries.breakdown import lines_of, totals_of
from governance.bills.queries.token_costs import rows_among
from governance.bills.rules import may_see_bills
from governance.exports.domain.tables import ExportTable
from governance.exports.queries import Columns, name_in, table_of
from governance.jobs.enums import ENDED_BADLY, UNFINISHED
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotFound

COLUMNS: Columns = {
    "Bill": str,
    "Name": "name",
    "Kind": "kind",
    "State": "state",
    "Digest": "digest",
    "Bytes": "size_bytes",
    "Received": "created_at",
    "Received by": name_in("received_by"),
    "Finished": "finished_at",
}
RATE_COLUMNS: Columns = {
    "Currency": "currency",
    "On": "on",
    "US dollars": "usd",
    "Source": "source",
    "Set": "set_at",
    "Set by": name_in("set_by"),
}


@dataclass(frozen=True)
class BillView:
    """The data of the page of a bill."""

    bill: Bill
    slices: tuple[BillSlice, ...]
    owned: tuple[CurrencyTotal, ...]
    tokens: tuple[TokenRow, ...]
    rows_refused: int
    is_finished: bool
    has_failed: bool


def listed() -> QuerySet[Bill]:
    """All bills, newest first, with `slice_count`."""
    return Bill.objects.select_related("received_by").annotate(slice_count=Count("slices")).order_by("-pk")


def table() -> ExportTable:
    """All bills as a table."""
    return table_of("bills", columns=COLUMNS, rows=listed())


def rates_table() -> ExportTable:
    """All exchange rates as a table."""
    return table_of("exchange-rates", columns=RATE_COLUMNS, rows=rates())


def find(*, bill_id: int, person: Person) -> Bill:
    """The bill. Raises NotFound if it does not exist or this person may not see it."""
    bill = Bill.objects.select_related("received_by").filter(pk=bill_id).first() if may_see_bills(person) else None
    if bill is None:
        raise NotFound(f"There is no bill {bill_id} that you can see.")
    return bill


def describe(bill: Bill) -> BillView:
    """The bill with its slices, its allocated amounts and its tokens of language models."""
    report, lines = bill.report or {}, lines_of(bill)
    slices = tuple(bill.slices.select_related("replaced_by").order_by("provider", "billing_account", "period"))
    return BillView(
        bill,
        slices,
        tuple(sorted(totals_of(lines), key=attrgetter("currency"))),
        tuple(rows_among(lines)) if report else (),
        sum(each["rows"] for each in report.get("refused", [])),
        bill.state not in UNFINISHED,
        bill.state in ENDED_BADLY,
    )


def rates() -> QuerySet[ExchangeRate]:
    """All rates, latest day first."""
    return ExchangeRate.objects.select_related("set_by").order_by("-on", "currency", "-pk")
