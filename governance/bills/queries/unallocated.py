"""Unallocated lines of a month of consumption, by the bills that they come from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from governance.bills.domain.currencies import Amount, CurrencyRate, convert
from governance.bills.models import Bill, MonthSum
from governance.bills.queries.spend import all_rates, unconverted_text
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable

COLUMNS = ("Month", "Bill", "Name", "Currency", "Lines", "Effective cost", "Effective USD", "Not converted")


@dataclass(frozen=True)
class UnallocatedOfBill:
    """The unallocated lines of a bill in a month, in one currency; `usd` is None without an exchange rate."""

    bill: Bill
    currency: str
    lines: int
    cost: Decimal
    usd: Decimal | None


def unallocated(*, month: date) -> list[UnallocatedOfBill]:
    """The unallocated lines of a month of consumption by bill and currency, the highest amounts first.

    The US dollars add up to what is unallocated in the spend of the month.
    """
    sums = MonthSum.objects.filter(rule__isnull=True, month=month).order_by().values("slice__bill", "currency")
    groups: Sequence[Mapping[str, Any]] = list(sums.annotate(lines_count=Sum("lines"), cost=Sum("effective")))
    bills, rates = Bill.objects.in_bulk({row["slice__bill"] for row in groups}), all_rates()
    rows = [_row(each, bills[each["slice__bill"]], month, rates) for each in groups]
    return sorted(rows, key=lambda row: (-abs(row.usd or row.cost), row.bill.pk, row.currency))


def total(rows: Iterable[UnallocatedOfBill]) -> Decimal:
    """What is unallocated in US dollars."""
    return sum((row.usd for row in rows if row.usd is not None), Decimal(0))


def table(rows: Sequence[UnallocatedOfBill], *, month: date) -> ExportTable:
    """The unallocated amounts of a month as a table."""
    cells = ((month, *_cells(row)) for row in rows)
    return ExportTable(f"unallocated-{month:%Y-%m}", COLUMNS, cells, len(rows))


def _cells(row: UnallocatedOfBill) -> tuple[Cell, ...]:
    apart = unconverted_text({row.currency: row.cost}) if row.usd is None else ""
    return str(row.bill), row.bill.name, row.currency, row.lines, row.cost, row.usd, apart


def _row(group: Mapping[str, Any], bill: Bill, month: date, rates: Sequence[CurrencyRate]) -> UnallocatedOfBill:
    found = convert([Amount.of_month(group["currency"], month, group["cost"])], rates)
    usd = None if found.apart else found.usd
    return UnallocatedOfBill(bill, group["currency"], group["lines_count"], group["cost"], usd)
