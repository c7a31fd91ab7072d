"""`cycles/` and `kpis/`: the quarterly review for programs."""

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.inventory.models import ModelAsset
from governance.inventory.queries import find as find_model
from governance.inventory.queries import visible_to
from governance.people.api.caller import asker
from governance.site.api.shapes import Input, Nothing, choice, read, takes
from reviews.quarterly.actions import cycles, meeting, scorecard
from reviews.quarterly.actions.meeting import TakenDecision
from reviews.quarterly.actions.scorecard import KpiSheet, SuppliedActual
from reviews.quarterly.api import answers as said
from reviews.quarterly.domain.actuals_file import ActualRow
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.queries import scores
from reviews.scorecard.domain.scorecard import KpiDirection
from weighbridge.core.errors import Invalid

TEXT_CHARS_MAX = 4_000


def somebody(**options: Any) -> Any:
    """A field that takes the user name of somebody whose account is open."""
    return serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        **options,
    )


@takes(
    TakenDecision,
    rationale={"max_length": TEXT_CHARS_MAX},
    due_on={"required": False},
    amount_usd={"max_digits": 16, "decimal_places": 2},
)
class DecisionInput(Input):
    """A decision of the meeting; it needs an owner and a due date."""

    kind = choice(DecisionKind)
    owner = somebody(required=False, allow_null=True, help_text="User name of whoever carries it out.")


class AttendanceInput(Input):
    """Who attends, and for which side."""

    person = somebody(help_text="User name.")
    side = choice(Side)


@takes(
    ActualRow,
    without=["row"],
    model={"max_length": 150, "help_text": "Written team/model."},
    value={"max_digits": 24, "decimal_places": 9},
    source={"required": False, "max_length": 200, "allow_blank": True},
)
class ActualInput(Input):
    """What one KPI came to."""

    kpi = serializers.SlugField(max_length=60)


class ActualsInput(Input):
    """Metrics of a quarter: all of them are kept, or none."""

    actuals = ActualInput(many=True)


class KpiInput(Input):
    """A KPI of a model; set again under the same short name, it is changed."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    metric = serializers.CharField(max_length=120)
    unit = serializers.CharField(max_length=60)
    better = choice(KpiDirection)
    target = serializers.DecimalField(max_digits=24, decimal_places=9)
    owner = somebody(help_text="User name.")
    data_source = serializers.CharField(max_length=200)
    how_estimated = serializers.CharField(max_length=TEXT_CHARS_MAX)


class Cycles(APIView):
    """Every quarter's review."""

    @extend_schema(operation_id="cycles_list", responses=said.CycleAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The latest quarter first."""
        _, person, _ = asker(request)
        return Response(said.CycleAnswer(reads.list_cycles(person=person), many=True).data)


class Cycle(APIView):
    """One quarter's review."""

    @extend_schema(operation_id="cycles_retrieve", responses=said.CycleDetailAnswer)
    def get(self, request: Request, quarter: str) -> Response:
        """Agenda, scorecard, attendance, decisions, action items and minutes."""
        return whole(request, quarter)


class MeetingView(APIView):
    """Opening the meeting."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_hold", request=Nothing, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Open the meeting; whoever does is in the chair."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        read(Nothing, request.data)
        cycles.open_meeting(cycle=cycle, by=user, now=now)
        return whole(request, quarter)


class Closing(APIView):
    """Closing the meeting."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_close", request=Nothing, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Close the meeting: the minutes are issued, and nothing of the cycle changes any more."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        read(Nothing, request.data)
        cycles.close(cycle=cycle, by=user, now=now)
        return whole(request, quarter)


class Attendances(APIView):
    """Who attends."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_attend", request=AttendanceInput, responses={201: said.CycleDetailAnswer})
    def post(self, request: Request, quarter: str) -> Response:
        """Note that somebody attends; noted again, the side is corrected."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        given = read(AttendanceInput, request.data)
        meeting.record_attendance(cycle=cycle, person=given["person"], side=Side(given["side"]), by=user, now=now)
        return whole(request, quarter, status=201)


class Decisions(APIView):
    """What is decided of an item."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_decide", request=DecisionInput, responses={201: said.CycleDetailAnswer})
    def post(self, request: Request, quarter: str, item_id: int) -> Response:
        """Decide; with quorum, an owner and a due date. What it implies happens in the same transaction."""
        user, person, now = asker(request)
        item = reads.find_item(cycle=reads.find(quarter=quarter, person=person), item_id=item_id)
        given = read(DecisionInput, request.data)
        decided = TakenDecision(
            kind=DecisionKind(given["kind"]),
            rationale=given["rationale"],
            owner=given.get("owner"),
            due_on=given.get("due_on"),
            amount_usd=given.get("amount_usd"),
        )
        meeting.decide(item=item, decided=decided, by=user, now=now)
        return whole(request, quarter, status=201)


class Actuals(APIView):
    """The values of a quarter."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_supply", request=ActualsInput, responses={201: said.ActualAnswer(many=True)})
    def post(self, request: Request, quarter: str) -> Response:
        """Supply what KPIs came to, before the cut-off; the latest value of a KPI counts. Send an Idempotency-Key."""
        user, _, now = asker(request)
        given = read(ActualsInput, request.data)["actuals"]
        actuals = [
            SuppliedActual(
                asset=model_named(request, each["model"]),
                kpi=each["kpi"],
                value=each["value"],
                source=each.get("source", ""),
                row=number,
            )
            for number, each in enumerate(given, start=1)
        ]
        rows = scorecard.supply(quarter=quarter, actuals=actuals, channel="api", by=user, now=now)
        return Response(said.ActualAnswer(rows, many=True).data, status=201)


class Kpis(APIView):
    """The KPIs of a model."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="models_kpis", responses=said.KpiAnswer(many=True))
    def get(self, request: Request, team: str, slug: str) -> Response:
        """The KPIs that count now."""
        _, person, _ = asker(request)
        asset = find_model(team=team, slug=slug, person=person)
        return Response(said.KpiAnswer(scores.active_kpis(asset), many=True).data)

    @extend_schema(operation_id="models_kpi_set", request=KpiInput, responses={201: said.KpiAnswer})
    def post(self, request: Request, team: str, slug: str) -> Response:
        """Set a KPI, or change one; its team or a product lead."""
        user, person, now = asker(request)
        asset = find_model(team=team, slug=slug, person=person)
        given = read(KpiInput, request.data)
        sheet = KpiSheet(**given | {"better": KpiDirection(given["better"])})
        return Response(said.KpiAnswer(scorecard.set_kpi(asset=asset, sheet=sheet, by=user, now=now)).data, status=201)


def whole(request: Request, quarter: str, *, status: int = 200) -> Response:
    """The cycle as it stands now, for whoever asked."""
    _, person, now = asker(request)
    view = reads.describe(cycle=reads.find(quarter=quarter, person=person), person=person, now=now)
    return Response(said.CycleDetailAnswer(view).data, status=status)


def model_named(request: Request, name: str) -> ModelAsset:
    """The model called "team/model", if whoever asks may see it; Invalid otherwise."""
    _, person, _ = asker(request)
    team, _, slug = name.partition("/")
    found = visible_to(person).filter(team__slug=team, slug=slug).first()
    if found is None:
        raise Invalid(f"There is no model {name!r} you can see; write it as team/model.", field="model")
    return found
