"""`bills/`, `allocation-rules/` and `spend/`: sending bills, allocating what they say, and what it comes to."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

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
from governance.bills.queries import allocation, bills, spend
from governance.bills.rules import check_handle_bills, check_see_bills
from governance.jobs import actions as jobs
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeAnswer, ChangeReasonInput
from governance.rulebook.actions.publication import propose_publication
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, Nothing, download, read


class Bills(GenericAPIView[Any]):
    """Every bill; finance, platform leads, administrators and auditors see them."""

    parser_classes = [MultiPartParser]
    serializer_class = BillAnswer

    @extend_schema(operation_id="bills_list", parameters=[BillFilters], responses=BillAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        check_see_bills(person)
        read(BillFilters, request.query_params)
        return self.get_paginated_response(BillAnswer(self.paginate_queryset(bills.listed()), many=True).data)

    @extend_schema(operation_id="bills_send", request={"multipart/form-data": BillInput}, responses={201: BillAnswer})
    def post(self, request: Request) -> Response:
        """Send a file; a worker reads it. The same content again is the same bill."""
        user, person, now = asker(request)
        check_handle_bills(person)
        given = read(BillInput, request.data)
        delivery = Delivery(
            kind=BillKind(given["kind"]),
            origin=BillOrigin.API,
            cluster=given["cluster"],
            refuses_existing=given["refuses_existing"],
        )
        bill = writes.receive(upload=given["file"], delivery=delivery, by=user, now=now)
        return Response(BillAnswer(bill).data, status=201)


class BillDetail(APIView):
    """One bill."""

    @extend_schema(operation_id="bills_retrieve", responses=BillAnswer)
    def get(self, request: Request, bill_id: int) -> Response:
        """Its state, its progress and, once it is read, its report."""
        _, person, _ = asker(request)
        return Response(BillAnswer(bills.find(bill_id=bill_id, person=person)).data)


class BillCancellation(APIView):
    """Stopping the reading of a bill."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="bills_cancel", request=Nothing, responses=BillAnswer)
    def post(self, request: Request, bill_id: int) -> Response:
        """Nothing of it counts."""
        user, person, now = asker(request)
        read(Nothing, request.data)
        bill = jobs.cancel(row=bills.find(bill_id=bill_id, person=person), by=user, now=now)
        return Response(BillAnswer(bill).data)


class BillRepetition(APIView):
    """Reading a bill once more."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="bills_retry", request=Nothing, responses=BillAnswer)
    def post(self, request: Request, bill_id: int) -> Response:
        """After it failed, died or was canceled."""
        user, person, now = asker(request)
        read(Nothing, request.data)
        bill = jobs.retry(row=bills.find(bill_id=bill_id, person=person), by=user, now=now)
        return Response(BillAnswer(bill).data)


class Rates(GenericAPIView[Any]):
    """Dated exchange rates."""

    parser_classes = [JSONParser]
    serializer_class = RateAnswer

    @extend_schema(operation_id="rates_list", parameters=[BillFilters], responses=RateAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The latest day first."""
        _, person, _ = asker(request)
        check_see_bills(person)
        read(BillFilters, request.query_params)
        return self.get_paginated_response(RateAnswer(self.paginate_queryset(bills.rates()), many=True).data)

    @extend_schema(operation_id="rates_set", request=RateInput, responses={201: RateAnswer})
    def post(self, request: Request) -> Response:
        """Say what a currency was worth on a day; of one day the last counts."""
        user, _, now = asker(request)
        given = read(RateInput, request.data)
        rate = CurrencyRate(given["currency"], given["on"], given["usd"], given["source"])
        return Response(RateAnswer(rate_writes.set_rate(rate=rate, by=user, now=now)).data, status=201)


class AllocationRules(APIView):
    """Every version of the allocation rules."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="allocation_list", responses=AllocationVersionAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        check_see_bills(person)
        return Response(AllocationVersionAnswer(allocation.versions(), many=True).data)

    @extend_schema(operation_id="allocation_draft", request=RulesInput, responses={201: AllocationDetailAnswer})
    def post(self, request: Request) -> Response:
        """Write the next draft; rules that overlap are refused with a row that would fall under both."""
        user, _, now = asker(request)
        version = allocation_writes.draft(source=read(RulesInput, request.data)["source"], by=user, now=now)
        return Response(AllocationDetailAnswer(version).data, status=201)


class AllocationTrial(APIView):
    """Rules tried on a month."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="allocation_try", request=AllocationTrialInput, responses=PreviewAnswer)
    def post(self, request: Request) -> Response:
        """What each rule would take of the bills of a month, and what no rule takes. Changes nothing."""
        _, person, _ = asker(request)
        check_see_bills(person)
        given = read(AllocationTrialInput, request.data)
        rules = allocation.parse(given["source"])
        allocation.targets(rules)
        found = allocation.preview(rules=rules, month=month_of(given["month"]))
        return Response(PreviewAnswer(found).data)


class AllocationDetail(APIView):
    """One version of the allocation rules."""

    @extend_schema(operation_id="allocation_retrieve", responses=AllocationDetailAnswer)
    def get(self, request: Request, number: int) -> Response:
        """With its source."""
        _, person, _ = asker(request)
        check_see_bills(person)
        return Response(AllocationDetailAnswer(allocation.find(number=number)).data)


class AllocationProposal(APIView):
    """Proposing to put a version in force."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="allocation_propose", request=ChangeReasonInput, responses={201: ChangeAnswer})
    def post(self, request: Request, number: int) -> Response:
        """Somebody else who handles bills confirms it; a worker then assigns the lines on record anew."""
        user, person, now = asker(request)
        check_see_bills(person)
        reason = read(ChangeReasonInput, request.data)["reason"]
        change = propose_publication(version=allocation.find(number=number), reason=reason, by=user, now=now)
        return Response(ChangeAnswer(change).data, status=201)


class SpendList(APIView):
    """What teams and models cost."""

    @extend_schema(operation_id="spend_list", parameters=[SpendFilters], responses=SpendAnswer(many=True))
    def get(self, request: Request) -> Response:
        """By month, team and model, the latest month first; your teams' alone unless you see whole bills."""
        _, person, _ = asker(request)
        month = read(SpendFilters, request.query_params).get("month")
        rows = spend.spend(person=person, month=month_of(month) if month else None)
        return Response(SpendAnswer(rows, many=True).data)


class SpendExport(APIView):
    """Spend as a file."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="spend_export", parameters=[TABLE_KIND], responses=TABLE_ANSWERS)
    def get(self, request: Request, kind: str) -> HttpResponse:
        """Every month."""
        _, person, _ = asker(request)
        return download(spend.table(spend.spend(person=person)), kind=kind)


def month_of(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)
