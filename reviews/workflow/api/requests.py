"""`requests/`: filing, finding and reading requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.models import Dataset
from benchmarking.runs.queries.datasets import find_usable
from governance.exports.web import export
from governance.inventory import queries as inventory
from governance.inventory.models import ModelVersion
from governance.people.api.caller import asker
from governance.people.domain.roles import Person
from governance.people.rules import check_act_for_any_team
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, read, read_for
from governance.site.domain.numbers import whole_number
from reviews.requests.models import ReviewRequest
from reviews.requests.queries import requests
from reviews.requests.queries.filings import Filing
from reviews.requests.queries.requests import RequestSelection
from reviews.snapshots.queries.allowed_steps import check_can_edit
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import evidence
from reviews.workflow.actions import requests as writes
from reviews.workflow.actions.drafting import drafts
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.api.answers import ReviewAnswer, RowAnswer, said
from reviews.workflow.api.inputs import ReviewFilters, ReviewInput, found
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.metrics.basis import Basis


class Requests(GenericAPIView[Any]):
    """The requests you may see."""

    serializer_class = RowAnswer

    @extend_schema(operation_id="requests_list", parameters=[ReviewFilters], responses=RowAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        page = self.paginate_queryset(requests.list_requests(person=person, filters=_filters(request)))
        return self.get_paginated_response(RowAnswer(page, many=True).data)

    @extend_schema(operation_id="requests_create", request=ReviewInput, responses={201: ReviewAnswer})
    def post(self, request: Request) -> Response:
        """File a draft with its metric values; where one metric value is refused, nothing is filed."""
        user, person, now = asker(request)
        given = read_for(request, ReviewInput, lambda: check_act_for_any_team(person))
        metric_values, filing = given.pop("metric_values", []), _filing(given, person)
        with transaction.atomic():
            row = writes.create(filing=filing, by=user, now=now)
            _state_all(row, metric_values, by=user, now=now)
        return Response(said(row, person, now), status=201)


class RequestsExport(APIView):
    """The requests you may see, as a file."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="requests_export", parameters=[TABLE_KIND, ReviewFilters], responses=TABLE_ANSWERS)
    def get(self, request: Request, kind: str) -> HttpResponseBase:
        """Every request the filters leave, the newest first."""
        _, person, _ = asker(request)
        return export(requests.table(person=person, filters=_filters(request)), kind=kind)


class RequestDetail(APIView):
    """One request."""

    @extend_schema(operation_id="requests_retrieve", responses=ReviewAnswer)
    def get(self, request: Request, ref: str) -> Response:
        """Everything there is to know of it, and what you may do now."""
        row, _, person, now = found(request, ref)
        return Response(said(row, person, now))


class RequestEditing(APIView):
    """A draft that says something else now."""

    @extend_schema(operation_id="requests_edit", request=ReviewInput, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Change a draft to these fields and metric values; a call that changes nothing leaves no trace."""
        row, user, person, now = found(request, ref)
        check_can_edit(snapshot_of(row, now=now), person=person)
        given = read(ReviewInput, request.data)
        statements = _statements(given.pop("metric_values", []))
        filing = _filing(given, person)
        changed = drafts.update_draft(request=row, filing=filing, statements=statements, by=user, now=now)
        return Response(said(changed, person, now))


def _filters(request: Request) -> RequestSelection:
    given = read(ReviewFilters, request.query_params)
    given.pop("page", None)
    return RequestSelection(**given)


def statement_of(metric: dict[str, Any]) -> StatedValue:
    """A metric value as it was sent, in the catalog's unit unless another one was named."""
    return StatedValue(
        **{"unit": catalog_in_force().find(metric["name"]).unit, **metric, "basis": Basis(metric["basis"])}
    )


def _state_all(request: ReviewRequest, metric_values: list[dict[str, Any]], *, by: User, now: datetime) -> None:
    for number, metric in enumerate(metric_values):
        with _at_place(number):
            evidence.state_metric_value(request=request, statement=statement_of(metric), by=by, now=now)


def _statements(metric_values: list[dict[str, Any]]) -> list[StatedValue]:
    statements = []
    for number, metric in enumerate(metric_values):
        with _at_place(number):
            statements.append(statement_of(metric))
    return statements


@contextmanager
def _at_place(number: int) -> Iterator[None]:
    """Let an error name the place of its metric value."""
    try:
        yield
    except Refused as refusal:
        refusal.field = f"metric_values[{number}].{refusal.field or 'name'}"
        raise


def _filing(given: dict[str, Any], person: Person) -> Filing:
    """The fields of a request, with versions and data that the person may see."""
    version = version_of(given.pop("model_version"), person)
    rivals = tuple(version_of(text, person, field="rivals") for text in given.pop("rivals", ()))
    data = dataset_of(given.get("dataset"), person)
    return Filing(**given | {"model_version": version, "dataset": data, "rivals": rivals})


def version_of(text: str, person: Person, *, field: str = "model_version") -> ModelVersion:
    """A version by digest or id. Raises Invalid if the person sees none.

    Of one artifact registered by several teams, it is that of the person's own team.
    """
    rows = ModelVersion.objects.select_related("asset__team", "asset__owner")
    rows = rows.filter(asset__in=inventory.visible_to(person)).order_by("-registered_at", "-pk")
    number = whole_number(text)
    known = list(rows.filter(digest=text) if number is None else rows.filter(pk=number))
    if not known:
        raise Invalid(f"There is no model version {text} you can see; register it first.", field=field)
    return min(known, key=lambda version: version.asset.team.slug not in person.teams)


def dataset_of(digest: str | None, person: Person) -> Dataset | None:
    """The data with this digest that a request of the person may use, or Invalid; None for None."""
    return find_usable(digest=digest, person=person) if digest is not None else None
