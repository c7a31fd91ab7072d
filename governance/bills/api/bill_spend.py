"""`bills/<number>/spend/`: the breakdown of a bill, as its page shows it, and files of it."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from governance.bills.api.inputs import SELECTION, BreakdownFilters
from governance.bills.api.serializers import BreakdownAnswer
from governance.bills.domain.allocation.breakdown import LineSelection, is_dimension, read_selection
from governance.bills.models import Bill
from governance.bills.queries import bills, breakdown
from governance.exports.web import export
from governance.people.api.caller import asker
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, read


class BillSpend(ViewSet):
    """What the lines of a bill cost, and to whom they are allocated."""

    @extend_schema(operation_id="bills_spend", parameters=[BreakdownFilters, *SELECTION], responses=BreakdownAnswer)
    def listed(self, request: Request, bill_id: int) -> Response:
        """A page of 50 rows by service, SKU, team, tag and others, or of lines; the highest amounts first."""
        bill, selection, asked = _asked(request, bill_id)
        found = breakdown.break_down(breakdown.lines_of(bill, selection=selection), **asked)
        has_next = found.has_next and asked["page"] < breakdown.PAGES_MAX
        place = {"by": asked["by"], "page": asked["page"], "next_page": asked["page"] + 1 if has_next else None}
        return Response(BreakdownAnswer({**vars(found), **place}).data)

    @extend_schema(
        operation_id="bills_spend_export",
        parameters=[TABLE_KIND, BreakdownFilters, *SELECTION],
        responses=TABLE_ANSWERS,
    )
    def export(self, request: Request, bill_id: int, kind: str) -> HttpResponseBase:
        """Every row of the breakdown, or every selected line; the page is ignored."""
        bill, selection, asked = _asked(request, bill_id)
        return export(
            breakdown.file_of(bill, selection=selection, by=asked["by"], currency=asked["currency"]), kind=kind
        )


def _asked(request: Request, bill_id: int) -> tuple[Bill, LineSelection, dict[str, Any]]:
    """The bill, the selected lines and the rest of the query; whoever may not see the bill hears only that."""
    _, person, _ = asker(request)
    bill = bills.find(bill_id=bill_id, person=person)
    given = dict(request.query_params.lists())
    others = {name: values[-1] for name, values in given.items() if not is_dimension(name)}
    return bill, read_selection(given), read(BreakdownFilters, others)
