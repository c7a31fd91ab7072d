"""`cycles/{quarter}/scorecard/` and `models/{team}/{slug}/kpis/`: KPIs and what they came to, for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.inventory.queries import find as find_model
from governance.inventory.queries import find_named
from governance.people.api.caller import asker
from governance.people.domain.roles import Person
from governance.site.api.shapes import read_for
from reviews.quarterly.actions import scorecard
from reviews.quarterly.actions.scorecard import KpiSheet, SuppliedActual
from reviews.quarterly.api import answers as said
from reviews.quarterly.api.inputs import ActualsInput, KpiInput
from reviews.quarterly.queries import scores
from reviews.scorecard.rules import check_edit_scorecard, check_edit_some_scorecard


class Actuals(APIView):
    """The values of a quarter."""

    @extend_schema(operation_id="cycles_supply", request=ActualsInput, responses={201: said.ActualAnswer(many=True)})
    def post(self, request: Request, quarter: str) -> Response:
        """Supply what KPIs came to, before the cut-off; the latest value of a KPI counts. Send an Idempotency-Key."""
        user, person, now = asker(request)
        given = read_for(request, ActualsInput, lambda: check_edit_some_scorecard(person))["actuals"]
        actuals = [_actual(person, number, **each) for number, each in enumerate(given, start=1)]
        rows = scorecard.supply(quarter=quarter, actuals=actuals, channel="api", by=user, now=now)
        return Response(said.ActualAnswer(rows, many=True).data, status=201)


def _actual(person: Person, number: int, *, model: str, **given: Any) -> SuppliedActual:
    return SuppliedActual(asset=find_named(model, person=person), row=number, **given)


class Kpis(APIView):
    """The KPIs of a model."""

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
        sheet = KpiSheet(**read_for(request, KpiInput, lambda: check_edit_scorecard(person, team=team)))
        return Response(said.KpiAnswer(scorecard.set_kpi(asset=asset, sheet=sheet, by=user, now=now)).data, status=201)
