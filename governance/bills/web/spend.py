"""Pages of spend by team, model, month and cost center, and of what no rule allocates; and files of them."""

from datetime import date

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.bills.charts import spend_chart
from governance.bills.domain.allocation.breakdown import MONTH, TEAM, LineSelection
from governance.bills.queries import spend, spend_tree, unallocated
from governance.bills.queries.spend import ModelSpend, MonthSpend
from governance.bills.queries.unallocated import UnallocatedOfBill
from governance.bills.rules import check_see_bills, may_see_bills
from governance.exports.web import export
from governance.people.web.current_user import person_of
from governance.site.queries import bounded_page

MONTHS_SHOWN, ROWS_SHOWN = 24, 200


@require_safe
def spend_page(request: HttpRequest) -> HttpResponse:
    """`/spend/`: cost of teams and models in a month. People see their own teams; finance and leads see all.

    The address asks for 24 months by `?page=`, or for those with its month.
    """
    person = person_of(request)
    sees_all, calendar = may_see_bills(person), spend.months_of_use(person=person)[::-1]
    asked = request.GET.get("month", "")
    place = next((place for place, month in enumerate(calendar) if month.isoformat() == asked), 0)
    page = bounded_page(calendar, size=MONTHS_SHOWN, number=request.GET.get("page") or place // MONTHS_SHOWN + 1)
    rows = spend.spend(person=person, months=[*page, *calendar[:1], *calendar[place : place + 1]])
    chosen = _chosen(request, spend.months(rows))
    of_month, of_page = _of_month(rows, chosen), [row for row in rows if row.month in page.object_list]
    months = spend.months(of_page)
    allocated = [row for row in of_month if row.is_allocated]
    context = {
        "page": page,
        "months": months,
        "spend_chart": spend_chart((row.month, row.team, row.team_name, row.effective) for row in of_page),
        "chosen": chosen,
        "rows": [*allocated[:ROWS_SHOWN], *of_month[len(allocated) :]],
        "allocated_count": len(allocated),
        "rows_shown": ROWS_SHOWN,
        "tree": spend_tree.over_tree(of_month) if sees_all else [],
        "largest": max((each.effective for each in months), default=0),
        "sees_all": sees_all,
        "query": f"month={chosen.month}" if chosen else "",
    }
    return render(request, "governance/bills/spend.html", context)


@require_safe
def spend_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/spend.csv` and `.xlsx`: all months."""
    return export(spend.table(spend.spend(person=person_of(request))), kind=kind)


@require_safe
def tree_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/spend/cost-centers.csv` and `.xlsx`: a month over the tree of cost centers, with the budgets of its quarter."""
    check_see_bills(person_of(request))
    calendar = spend.months_of_use(person=person_of(request))[::-1]
    asked = [month for month in calendar if month.isoformat() == request.GET.get("month", "")]
    rows = spend.spend(person=person_of(request), months=[*asked, *calendar[:1]])
    chosen = _chosen(request, spend.months(rows))
    month, centers = chosen.month if chosen else _month(request), spend_tree.over_tree(_of_month(rows, chosen))
    return export(spend_tree.table(centers, month=month, today=timezone.now().date()), kind=kind)


@require_safe
def unallocated_page(request: HttpRequest) -> HttpResponse:
    """`/spend/unallocated/?month=`: the bills that the unallocated lines of a month come from."""
    check_see_bills(person_of(request))
    month = _month(request)
    rows = unallocated.unallocated(month=month)
    context = {
        "month": month,
        "rows": [(row, lines_address(row, month)) for row in rows],
        "total": unallocated.total(rows),
        "apart": [row for row in rows if row.usd is None],
        "query": f"month={month}",
        "crumbs": (("Spend", f"{reverse('governance:spend')}?month={month}"), (f"Unallocated, {month:%B %Y}", "")),
    }
    return render(request, "governance/bills/unallocated.html", context)


@require_safe
def unallocated_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/spend/unallocated.csv` and `.xlsx`: the same as a file."""
    check_see_bills(person_of(request))
    month = _month(request)
    return export(unallocated.table(unallocated.unallocated(month=month), month=month), kind=kind)


def lines_address(row: UnallocatedOfBill, month: date) -> str:
    """The page of the unallocated lines of a bill in a month, by service."""
    selection = LineSelection().narrowed(TEAM, "").narrowed(MONTH, f"{month:%Y-%m}")
    return f"{reverse('governance:bill_spend', args=[row.bill.pk])}?{selection.address(currency=row.currency)}"


def _chosen(request: HttpRequest, months: list[MonthSpend]) -> MonthSpend | None:
    """The month of the address if there is spend in it, else the latest month; None without any spend."""
    asked = request.GET.get("month", "")
    return next((each for each in months if each.month.isoformat() == asked), months[0] if months else None)


def _of_month(rows: list[ModelSpend], chosen: MonthSpend | None) -> list[ModelSpend]:
    return [row for row in rows if chosen and row.month == chosen.month]


def _month(request: HttpRequest) -> date:
    """The month of the address, or the current one."""
    try:
        return date.fromisoformat(request.GET.get("month", "")).replace(day=1)
    except ValueError:
        return timezone.now().date().replace(day=1)
