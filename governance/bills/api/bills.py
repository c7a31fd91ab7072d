"""`bills/`, `allocation-rules/` and `spend/`: sending bills, allocating what they say, and what it comes to."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from governance.bills.actions import allocation as allocation_writes
from governance.bills.actions import bills as writes
from governance.bills.actions import rates as rate_writes
from governance.bills.actions.bills import Delivery
from governance.bills.api.inputs import (
    AllocationTrialInput,
    BillFilters,
    BillInput,
    RateInput,
    RulesInput,
    SpendFilters,
)
from governance.bills.api.serializers import (
    AllocationDetailAnswer,
    AllocationVersionAnswer,
    BillAnswer,
    PreviewAnswer,
    RateAnswer,
    SpendAnswer,
)
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.enums import BillKind, BillOrigin
from governance.bills.models import Bill
from governance.bills.queries import allocation, bills, spend
from governance.bills.rules import check_handle_bills, check_see_bills
from governance.exports.web import export
from governance.jobs import actions as jobs
from governance.jobs.kinds import check_handle
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeAnswer, ChangeReasonInput
from governance.rulebook.actions.publication import propose_publication
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, Nothing, read, read_for


class _Rows(GenericViewSet[Any]):
    """Rows for those who see whole bills: finance, platform leads, administrators and auditors."""

    def page_of(self, request: Request, rows: QuerySet[Any]) -> Response:
        """One page of the rows."""
        _, person, _ = asker(request)
        check_see_bills(person)
        read(BillFilters, request.query_params)
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


class Bills(_Rows):
    """Bills."""

    serializer_class = BillAnswer

    @extend_schema(operation_id="bills_list", parameters=[BillFilters], responses=BillAnswer(many=True))
    def listed(self, request: Request) -> Response:
        """The newest first."""
        return self.page_of(request, bills.listed())

    @extend_schema(operation_id="bills_send", request={"multipart/form-data": BillInput}, responses={201: BillAnswer})
    def send(self, request: Request) -> Response:
        """Send a file; a worker reads it. The same content again is the same bill."""
        user, person, now = asker(request)
        check_handle_bills(person)
        given = read(BillInput, request.data)
        upload, kind = given.pop("file"), BillKind(given.pop("kind"))
        bill = writes.receive(upload=upload, delivery=Delivery(kind, BillOrigin.API, **given), by=user, now=now)
        return Response(BillAnswer(bill).data, status=201)

    @extend_schema(operation_id="bills_retrieve", responses=BillAnswer)
    def retrieve(self, request: Request, bill_id: int) -> Response:
        """Its state, its progress and, once it is read, its report."""
        _, person, _ = asker(request)
        return Response(BillAnswer(bills.find(bill_id=bill_id, person=person)).data)

    @extend_schema(operation_id="bills_cancel", request=Nothing, responses=BillAnswer)
    def cancel(self, request: Request, bill_id: int) -> Response:
        """Nothing of it counts."""
        return self._step(request, bill_id, jobs.cancel)

    @extend_schema(operation_id="bills_retry", request=Nothing, responses=BillAnswer)
    def retry(self, request: Request, bill_id: int) -> Response:
        """After it failed, died or was canceled."""
        return self._step(request, bill_id, jobs.retry)

    def _step(self, request: Request, bill_id: int, take: Callable[..., Bill]) -> Response:
        user, person, now = asker(request)
        bill = bills.find(bill_id=bill_id, person=person)
        read_for(request, Nothing, lambda: check_handle(person, bill))
        return Response(BillAnswer(take(row=bill, by=user, now=now)).data)


class Rates(_Rows):
    """Dated exchange rates."""

    serializer_class = RateAnswer

    @extend_schema(operation_id="rates_list", parameters=[BillFilters], responses=RateAnswer(many=True))
    def listed(self, request: Request) -> Response:
        """The latest day first."""
        return self.page_of(request, bills.rates())

    @extend_schema(operation_id="rates_set", request=RateInput, responses={201: RateAnswer})
    def set_rate(self, request: Request) -> Response:
        """Say what a currency was worth on a day; of one day the last counts."""
        user, person, now = asker(request)
        rate = CurrencyRate(**read_for(request, RateInput, lambda: check_handle_bills(person)))
        return Response(RateAnswer(rate_writes.set_rate(rate=rate, by=user, now=now)).data, status=201)


class AllocationRules(ViewSet):
    """Versions of the allocation rules."""

    @extend_schema(operation_id="allocation_list", responses=AllocationVersionAnswer(many=True))
    def listed(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        check_see_bills(person)
        return Response(AllocationVersionAnswer(allocation.versions(), many=True).data)

    @extend_schema(operation_id="allocation_draft", request=RulesInput, responses={201: AllocationDetailAnswer})
    def draft(self, request: Request) -> Response:
        """Write the next draft; rules that overlap are refused with a row that would fall under both."""
        user, person, now = asker(request)
        source = read_for(request, RulesInput, lambda: check_handle_bills(person))["source"]
        version = allocation_writes.draft(source=source, by=user, now=now)
        return Response(AllocationDetailAnswer(version).data, status=201)

    @extend_schema(operation_id="allocation_try", request=AllocationTrialInput, responses=PreviewAnswer)
    def preview(self, request: Request) -> Response:
        """What each rule would take of the bills of a month, and what no rule takes. Changes nothing."""
        _, person, _ = asker(request)
        check_see_bills(person)
        given = read(AllocationTrialInput, request.data)
        rules = allocation.parse(given["source"])
        allocation.targets(rules)
        return Response(PreviewAnswer(allocation.preview(rules=rules, month=given["month"].replace(day=1))).data)

    @extend_schema(operation_id="allocation_retrieve", responses=AllocationDetailAnswer)
    def retrieve(self, request: Request, number: int) -> Response:
        """With its source."""
        _, person, _ = asker(request)
        check_see_bills(person)
        return Response(AllocationDetailAnswer(allocation.find(number=number)).data)

    @extend_schema(operation_id="allocation_propose", request=ChangeReasonInput, responses={201: ChangeAnswer})
    def propose(self, request: Request, number: int) -> Response:
        """Somebody else who handles bills confirms it; a worker then assigns the lines on record anew."""
        user, person, now = asker(request)
        check_see_bills(person)
        reason = read_for(request, ChangeReasonInput, lambda: check_handle_bills(person))["reason"]
        change = propose_publication(version=allocation.find(number=number), reason=reason, by=user, now=now)
        return Response(ChangeAnswer(change).data, status=201)


class Spend(ViewSet):
    """What teams and models cost."""

    @extend_schema(operation_id="spend_list", parameters=[SpendFilters], responses=SpendAnswer(many=True))
    def listed(self, request: Request) -> Response:
        """By month, team and model, the latest month first; your teams' alone unless you see whole bills."""
        _, person, _ = asker(request)
        month = read(SpendFilters, request.query_params).get("month")
        rows = spend.spend(person=person, months=[month.replace(day=1)] if month else None)
        return Response(SpendAnswer(rows, many=True).data)

    @extend_schema(operation_id="spend_export", parameters=[TABLE_KIND], responses=TABLE_ANSWERS)
    def export(self, request: Request, kind: str) -> HttpResponseBase:
        """Every month."""
        _, person, _ = asker(request)
        return export(spend.table(spend.spend(person=person)), kind=kind)
