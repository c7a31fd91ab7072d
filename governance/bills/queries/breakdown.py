"""Breakdowns of the lines of a bill: by one dimension, in one currency, down to the lines. The database aggregates."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import attrgetter, or_
from typing import Any

from django.db.models import Count, F, Func, Q, Sum, TextField, Value
from django.db.models.functions import Abs, Coalesce
from django.utils.text import slugify

from governance.bills.domain.allocation.breakdown import (
    LINES,
    MONTH,
    TAGS,
    TEAM,
    BreakdownRow,
    CurrencyTotal,
    LineSelection,
    title_of,
)
from governance.bills.domain.allocation.rules import Rule, shared_row
from governance.bills.models import Bill, SpendLine
from governance.bills.queries.allocation import Lines, column_of
from governance.bills.queries.line_sums import ValueSum, sums_of
from governance.budgets.domain.quarters import next_month
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable
from weighbridge.core.errors import Invalid

ROWS_MAX, PAGES_MAX, SEEN_MAX, NAME_CHARS_MAX = 50, 200, 20, 60
NO_COST, ALL = Decimal(0), LineSelection()
SUMS = {
    "lines": Count("*"),
    "lines_unallocated": Count("pk", filter=Q(rule__isnull=True)),
    "cost": Sum("effective"),
    "allocated": Sum("effective", filter=Q(rule__isnull=False), default=NO_COST),
    "gpu_hours": Sum("gpu_hours"),
}
ROW_COLUMNS: Mapping[str, Callable[[BreakdownRow], Cell]] = {
    "Lines": attrgetter("lines"),
    "Effective cost": attrgetter("cost"),
    "Allocated": attrgetter("allocated"),
    "Unallocated": attrgetter("unallocated"),
    "GPU hours": attrgetter("gpu_hours"),
    "Share": lambda row: None if row.share is None else round(row.share, 6),
}
LINE_COLUMNS: Mapping[str, str] = {
    "Day": "day",
    "Provider": "provider",
    "Service": "service",
    "SKU": "sku",
    "Sub-account": "subaccount",
    "Resource": "resource",
    "Region": "region",
    "Category": "category",
    "Model as billed": "model",
    "Meter": "meter",
    "Tags": "tags",
    "Currency": "currency",
    "Effective cost": "effective",
    "Billed cost": "billed",
    "GPU hours": "gpu_hours",
    "Rows of the bill": "rows",
    "Team": "rule__team__name",
    "Rule": "rule__rule_id",
}


@dataclass(frozen=True)
class Breakdown:
    """A page of the breakdown of a bill, or of its lines.

    `rest` is what is not on the page: rows and rest add up to the total. `lines` is filled instead of rows for single
    lines. The cost of tag names does not add up to the total, because a line has several tags.
    """

    totals: tuple[CurrencyTotal, ...]
    total: CurrencyTotal | None
    rows: tuple[BreakdownRow, ...] = ()
    rest: BreakdownRow | None = None
    lines: tuple[SpendLine, ...] = ()
    has_next: bool = False


def lines_of(bill: Bill, *, selection: LineSelection = ALL) -> Lines:
    """The selected lines of a bill.

    The slices are looked up first: the database then knows how many lines they have, and in which partitions.
    """
    slices = dict(bill.slices.values_list("pk", "period"))
    lines = SpendLine.objects.filter(slice__in=slices, period__in=set(slices.values()))
    return _chosen(lines, selection)


def break_down(lines: Lines, *, by: str, currency: str = "", page: int = 1) -> Breakdown:
    """One page of the lines by a dimension, by the names of tags, or one by one; the highest amounts first.

    Without a currency, or with one that no line has, the currency with the most lines is shown.
    """
    start = (page - 1) * ROWS_MAX
    if by == LINES:
        return _lines_page(lines, currency, start)
    value = F("tags") if by == TAGS else Value("") if by == TEAM else _value_of(by)
    found = sums_of(lines, by=by, value=value, currency=currency, start=start, count=ROWS_MAX + 1)
    total = _total_in(found.totals, currency)
    if total is None:
        return Breakdown((), None)
    rows = tuple(_row(each, total, by) for each in found.values[:ROWS_MAX])
    rest = None if by == TAGS else total.rest(rows)
    return Breakdown(found.totals, total, rows, rest, has_next=len(found.values) > ROWS_MAX)


def file_of(bill: Bill, *, selection: LineSelection, by: str, currency: str) -> ExportTable:
    """All rows of the breakdown of a bill, or all selected lines, as a table with a name of its own."""
    name = f"bill-{bill.pk}" if by == LINES else f"bill-{bill.pk}-by-{slugify(title_of(by))[:NAME_CHARS_MAX]}"
    return table(lines_of(bill, selection=selection), by=by, currency=currency, name=name)


def table(lines: Lines, *, by: str, currency: str = "", name: str) -> ExportTable:
    """All rows of the breakdown in a currency, as `break_down` chooses it, or all lines, as a table.

    Lines are read while the file is written; without a currency, they are in all currencies.
    """
    if by == LINES:
        if currency:
            total = _total_in(totals_of(lines), currency)
            lines = lines.filter(currency=total.currency if total else "")
        rows = lines.order_by("period", "pk").values(*LINE_COLUMNS.values()).iterator()
        return ExportTable(f"{name}-lines", tuple(LINE_COLUMNS), map(_line_cells, rows), lines.count())
    total = _total_in(totals_of(lines), currency)
    header = (title_of(by) if by != TAGS else "Tag", "Currency", *ROW_COLUMNS)
    if total is None:
        return ExportTable(name, header, (), 0)
    sums = _sums(lines.filter(currency=total.currency), by)
    return ExportTable(name, header, _cells(sums.iterator(), total), sums.count())


def totals_of(lines: Lines) -> tuple[CurrencyTotal, ...]:
    """The totals of the lines in each currency, the one with the most lines first."""
    rows: Any = lines.order_by()
    sums = rows.values("currency").annotate(**SUMS)
    return tuple(CurrencyTotal(**row) for row in sums.order_by("-lines", "currency"))


def values_seen(lines: Lines, *, rule: Rule, others: Sequence[Rule]) -> Mapping[str, Collection[str]]:
    """The values of these lines in the fields of rules that overlap with a new one; fields with more than 20 are
    missing.
    """
    overlapping = [other for other in others if shared_row(rule, other) is not None]
    seen = {}
    for field in sorted({each.field for other in overlapping for each in other.conditions}):
        found = lines.order_by().annotate(value=column_of(field)).values_list("value", flat=True).distinct()
        values = list(found[: SEEN_MAX + 1])
        if len(values) <= SEEN_MAX:
            seen[field] = values
    return seen


def _chosen(lines: Lines, selection: LineSelection) -> Lines:
    """The lines with one of the values in each dimension."""
    for number, (name, values) in enumerate(selection.values):
        if name == TEAM:
            nobody = Q(rule__isnull=True) if "" in values else Q()
            lines = lines.filter(nobody | Q(rule__team__slug__in=[value for value in values if value]))
        elif name == MONTH:
            lines = lines.filter(reduce(or_, map(_in_month, values)))
        else:
            alias = f"chosen_{number}"
            lines = lines.alias(**{alias: column_of(name)}).filter(**{f"{alias}__in": values})
    return lines


def _in_month(text: str) -> Q:
    """The lines of a month like 2026-09; none for another text."""
    try:
        month = date.fromisoformat(f"{text}-01")
        return Q(day__gte=month, day__lt=next_month(month))
    except (ValueError, Invalid):
        return Q(pk__in=[])


def _sums(lines: Lines, by: str) -> Any:
    """The sums of each value, the highest amounts first, whether costs or credits."""
    fields = {"value": _value_of(by)}
    if by == TEAM:
        fields["name"] = Coalesce(F("rule__team__name"), Value(""))
    sums: Any = lines.order_by().annotate(**fields).values(*fields)
    return sums.annotate(**SUMS).order_by(Abs("cost").desc(), "-gpu_hours", "value")


def _value_of(by: str) -> Coalesce | F | Func:
    if by == TEAM:
        return Coalesce(F("rule__team__slug"), Value(""))
    if by == TAGS:
        return Func(F("tags"), function="jsonb_object_keys", output_field=TextField())
    if by == MONTH:
        return Func(F("day"), Value("YYYY-MM"), function="to_char", output_field=TextField())
    return column_of(by)


def _total_in(totals: Sequence[CurrencyTotal], currency: str) -> CurrencyTotal | None:
    return next((each for each in totals if each.currency == currency), totals[0] if totals else None)


def _lines_page(lines: Lines, currency: str, start: int) -> Breakdown:
    """A page of lines: found by their amount alone, then read whole."""
    totals = totals_of(lines)
    total = _total_in(totals, currency)
    if total is None:
        return Breakdown((), None)
    by_amount = lines.filter(currency=total.currency).order_by(Abs("effective").desc(), "-gpu_hours", "pk")
    places = list(by_amount.values_list("pk", "period")[start : start + ROWS_MAX + 1])
    shown = dict(places[:ROWS_MAX])
    found = SpendLine.objects.select_related("rule__team").filter(period__in=set(shown.values())).in_bulk(shown)
    return Breakdown(totals, total, lines=tuple(found[pk] for pk in shown), has_next=len(places) > ROWS_MAX)


def _row(each: ValueSum, total: CurrencyTotal, by: str) -> BreakdownRow:
    """A row of a page: a team has a name and no owners, and tags have none because a line can have several."""
    name = each.owners[0].team if by == TEAM and each.owners else "" if by == TEAM else each.value
    amounts = (each.lines, each.lines_unallocated, each.cost, each.allocated, each.gpu_hours)
    return BreakdownRow(
        each.value, name, *amounts, total.share_of(each.cost), () if by in {TEAM, TAGS} else each.owners
    )


def _line_cells(line: Mapping[str, Any]) -> Sequence[Cell]:
    tags = json.dumps(line["tags"], ensure_ascii=False, sort_keys=True)
    return [tags if field == "tags" else line[field] for field in LINE_COLUMNS.values()]


def _cells(sums: Iterator[Mapping[str, Any]], total: CurrencyTotal) -> Iterator[Sequence[Cell]]:
    for each in sums:
        row = BreakdownRow(**{"name": each["value"], **each}, share=total.share_of(each["cost"]))
        yield (row.value, total.currency, *(read(row) for read in ROW_COLUMNS.values()))
