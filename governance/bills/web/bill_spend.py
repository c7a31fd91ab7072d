"""The page of the spend of a bill: breakdowns of the selected lines, down to the lines, and files of them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from governance.bills.domain.allocation.breakdown import (
    FIELDS,
    LINES,
    TAGS,
    TEAM,
    BreakdownRow,
    LineSelection,
    is_dimension,
    read_selection,
    title_of,
)
from governance.bills.domain.allocation.rules import TAG
from governance.bills.models import Bill
from governance.bills.queries import bills
from governance.bills.queries import breakdown as reads
from governance.bills.rules import may_handle_bills
from governance.exports.web import export
from governance.people.web.current_user import person_of
from weighbridge.core.documents import is_storable

NOBODY, NONE = "Unallocated", "none"
TABS = {"service": "Service", "sku": "SKU", TEAM: "Team", TAGS: "Tags"}
TABS |= {name: FIELDS[name] for name in ("subaccount", "resource", "region", "provider", "model")} | {LINES: "Lines"}
DRILL_DOWN = ("service", "sku", "resource")


@dataclass(frozen=True)
class SelectionChip:
    """A chosen dimension with its values, and the address without it."""

    label: str
    without: str


@dataclass(frozen=True)
class BreakdownLink:
    """A row of a breakdown with the addresses that it opens; an empty address opens nothing."""

    row: BreakdownRow
    label: str
    href: str
    unallocated: str
    allocate: str


@dataclass(frozen=True)
class BillLinks:
    """The addresses of the pages of one bill, in one currency."""

    bill: Bill
    currency: str
    may_allocate: bool

    def to(self, selection: LineSelection, *, by: str, **more: str) -> str:
        """The breakdown of a selection."""
        query = selection.address(by=by, **({"currency": self.currency} | more))
        return f"{reverse('governance:bill_spend', args=[self.bill.pk])}?{query}"

    def deeper(self, selection: LineSelection) -> str:
        """The selection by the next dimension that it does not have, or its lines."""
        chosen = dict(selection.values)
        return self.to(selection, by=next((name for name in DRILL_DOWN if name not in chosen), LINES))

    def allocate(self, selection: LineSelection) -> str:
        """The form of an allocation rule; none for people who may not write rules, and for a whole bill."""
        wanted = selection.of_rule
        if not self.may_allocate or not wanted.values:
            return ""
        return f"{reverse('governance:bill_allocate', args=[self.bill.pk])}?{wanted.address()}"

    def row(self, selection: LineSelection, by: str, row: BreakdownRow) -> BreakdownLink:
        """A row with its addresses."""
        if by == TAGS:
            return BreakdownLink(row, row.value, self.to(selection, by=f"{TAG}{row.value}"), "", "")
        narrowed = selection.narrowed(by, row.value)
        label = row.name or (NOBODY if by == TEAM else NONE)
        if by == TEAM or not row.lines_unallocated:
            return BreakdownLink(row, label, self.deeper(narrowed), "", "")
        nobody = narrowed.narrowed(TEAM, "")
        return BreakdownLink(row, label, self.deeper(narrowed), self.deeper(nobody), self.allocate(narrowed))


@require_safe
def detail(request: HttpRequest, bill_id: int) -> HttpResponse:
    """`/bills/<number>/spend/`: the cost of the selected lines by `?by=`, or the lines themselves."""
    bill, selection, by = _chosen(request, bill_id)
    page, currency = _page_number(request), request.GET.get("currency", "")
    found = reads.break_down(reads.lines_of(bill, selection=selection), by=by, currency=currency, page=page)
    links = BillLinks(bill, found.total.currency if found.total else "", may_handle_bills(person_of(request)))
    context = {
        "bill": bill,
        "by": by,
        "title": TABS.get(by) or title_of(by),
        "found": found,
        "rows": [links.row(selection, by, each) for each in found.rows],
        "tabs": [(title, links.to(selection, by=name), _is_current(name, by)) for name, title in TABS.items()],
        "chips": chips(selection, lambda rest: links.to(rest, by=by)),
        "currencies": [(each, links.to(selection, by=by, currency=each.currency)) for each in found.totals],
        "allocate": links.allocate(selection) if found.total and found.total.lines_unallocated else "",
        "query": selection.address(by=by, currency=links.currency),
        "previous": links.to(selection, by=by, page=str(page - 1)) if page > 1 else "",
        "next": links.to(selection, by=by, page=str(page + 1)) if found.has_next and page < reads.PAGES_MAX else "",
        "page_number": page,
        "crumbs": crumbs(bill, "Spend"),
    }
    return render(request, "governance/bills/bill_spend.html", context)


@require_safe
def exported(request: HttpRequest, bill_id: int, kind: str) -> HttpResponseBase:
    """`/bills/<number>/spend.csv` and `.xlsx`: every row of the breakdown, or every selected line."""
    bill, selection, by = _chosen(request, bill_id)
    currency = request.GET.get("currency", "")
    return export(reads.file_of(bill, selection=selection, by=by, currency=currency), kind=kind)


def chips(selection: LineSelection, address: Any) -> list[SelectionChip]:
    """Each dimension of a selection, with the address of the selection without it."""
    return [
        SelectionChip(f"{title_of(name)}: {_values_text(name, values)}", address(selection.without(name)))
        for name, values in selection.values
    ]


def crumbs(bill: Bill, title: str) -> tuple[tuple[str, str], ...]:
    """The place of a page of a bill."""
    of_bill = reverse("governance:bill", args=[bill.pk])
    return ("Bills", reverse("governance:bills")), (str(bill), of_bill), (title, "")


def _chosen(request: HttpRequest, bill_id: int) -> tuple[Bill, LineSelection, str]:
    bill = bills.find(bill_id=bill_id, person=person_of(request))
    by = request.GET.get("by", "")
    selection = read_selection(dict(request.GET.lists()))
    is_known = by in {TAGS, LINES} or (is_dimension(by) and is_storable(by))
    return bill, selection, by if is_known else DRILL_DOWN[0]


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(reads.PAGES_MAX))
    return min(max(int(text), 1), reads.PAGES_MAX) if is_number else 1


def _is_current(name: str, by: str) -> bool:
    return name == by or (name == TAGS and by.startswith(TAG))


def _values_text(name: str, values: tuple[str, ...]) -> str:
    return " or ".join(value or (NOBODY if name == TEAM else NONE) for value in values)
