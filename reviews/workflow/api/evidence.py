"""The evidence of a request: metric values, checklist, contradictions, benchmarks."""

from datetime import datetime

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.projections import actions as projection_writes
from benchmarking.projections.queries import find as find_projection
from benchmarking.runs.queries import runs
from benchmarking.runs.rules import check_run
from governance.site.api.parsers import StrictJSONParser
from governance.site.api.shapes import Nothing, read, read_for
from reviews.evidence.domain.projected import only_option
from reviews.evidence.queries.evidence import metric_value_of
from reviews.evidence.queries.metric_views import metric_views
from reviews.evidence.queries.projections import projection_view
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import check_edit
from reviews.workflow.actions import evidence as writes
from reviews.workflow.actions import projections
from reviews.workflow.api.answers import said
from reviews.workflow.api.evidence_answers import (
    ComparisonAnswer,
    ItemAnswer,
    MetricEvidenceAnswer,
    MetricValueAnswer,
    RunAnswer,
    StatedProjectionAnswer,
)
from reviews.workflow.api.inputs import AnswerInput, MetricValueInput, ProjectionInput, TextInput, found
from reviews.workflow.api.requests import statement_of
from reviews.workflow.queries.view_evidence import item_views
from weighbridge.core.errors import WrongState


class MetricValues(APIView):
    """The metric values of a request."""

    @extend_schema(operation_id="requests_metric_values_list", responses=MetricEvidenceAnswer(many=True))
    def get(self, request: Request, ref: str) -> Response:
        """Every metric with the value that counts and all values ever stated, in the order of the catalog."""
        row, _, _, now = found(request, ref)
        return Response(MetricEvidenceAnswer(metric_views(EvidenceSnapshot(row, now)), many=True).data)

    @extend_schema(
        operation_id="requests_state_metric_value", request=MetricValueInput, responses={201: MetricValueAnswer}
    )
    def post(self, request: Request, ref: str) -> Response:
        """State a declared or estimated metric value; the one before it stays on record."""
        row, user, person, now = found(request, ref)
        statement = statement_of(read_for(request, MetricValueInput, lambda: check_edit(person, parties_of(row))))
        metric = writes.state_metric_value(request=row, statement=statement, by=user, now=now)
        metric.refresh_from_db()
        return Response(MetricValueAnswer(metric_value_of(metric)).data, status=201)


class Projections(APIView):
    """The cost projections of a request."""

    @extend_schema(operation_id="requests_projections_list", responses=StatedProjectionAnswer(many=True))
    def get(self, request: Request, ref: str) -> Response:
        """The latest first; it counts."""
        row, _, _, now = found(request, ref)
        return Response(_projections(row, now))

    @extend_schema(
        operation_id="requests_state_projection",
        request=ProjectionInput,
        responses={201: StatedProjectionAnswer(many=True)},
    )
    def post(self, request: Request, ref: str) -> Response:
        """Let a projection speak for the costs: its metric values become estimates, its prices stay pinned."""
        row, user, person, now = found(request, ref)
        given = read_for(request, ProjectionInput, lambda: check_edit(person, parties_of(row)))
        if "spec" in given:
            kept = projection_writes.project_and_store(spec=given["spec"], by=user, now=now)
        else:
            kept = find_projection(given["token"])
        option, widen = given.get("option") or only_option(kept.document), given["widen"]
        projections.state(request=row, projection=kept, option=option, widen=widen, by=user, now=now)
        return Response(_projections(row, now), status=201)


def _projections(row: ReviewRequest, now: datetime) -> object:
    views = map(projection_view, EvidenceSnapshot(row, now).projections)
    return StatedProjectionAnswer(views, many=True).data


class ChecklistView(APIView):
    """The checklist of a request."""

    @extend_schema(operation_id="requests_checklist_list", responses=ItemAnswer(many=True))
    def get(self, request: Request, ref: str) -> Response:
        """Every item with what stands for it; none before the request is submitted."""
        row, _, _, now = found(request, ref)
        return Response(ItemAnswer(item_views(EvidenceSnapshot(row, now)), many=True).data)


class ChecklistItem(APIView):
    """One item that people answer."""

    parser_classes = [StrictJSONParser, MultiPartParser]

    @extend_schema(operation_id="requests_answer_item", request=AnswerInput, responses=ItemAnswer)
    def put(self, request: Request, ref: str, item: str) -> Response:
        """Answer; a new answer takes the place of the one before."""
        row, user, person, now = found(request, ref)
        given = read_for(request, AnswerInput, lambda: check_edit(person, parties_of(row)))
        writes.answer_item(request=row, item_id=item, by=user, now=now, **given)
        answered = next(each for each in item_views(EvidenceSnapshot(row, now)) if each.id == item)
        return Response(ItemAnswer(answered).data)

    @extend_schema(operation_id="requests_answer_item_by_post", request=AnswerInput, responses=ItemAnswer)
    def post(self, request: Request, ref: str, item: str) -> Response:
        """The same as PUT, with an Idempotency-Key if you like."""
        return self.put(request, ref, item)


class ContradictionView(APIView):
    """A claim that a measurement contradicts."""

    @extend_schema(operation_id="requests_answer_contradiction", request=TextInput, responses=ComparisonAnswer)
    def post(self, request: Request, ref: str, metric: str) -> Response:
        """Say why; approval waits for it."""
        row, user, person, now = found(request, ref)
        given = read_for(request, TextInput, lambda: check_edit(person, parties_of(row)))
        writes.answer_contradiction(request=row, name=metric, by=user, now=now, **given)
        return Response(next(each for each in said(row, person, now)["comparisons"] if each["name"] == metric))


class Runs(APIView):
    """The benchmarks of a request."""

    @extend_schema(operation_id="requests_benchmark_again", request=Nothing, responses={201: RunAnswer(many=True)})
    def post(self, request: Request, ref: str) -> Response:
        """Run every benchmark of the request once more, while its metric values may still change."""
        row, user, person, now = found(request, ref)
        check_run(person, team=row.team.slug)
        read(Nothing, request.data)
        latest = {run.scenario: run for run in runs.of_request(row.ref)}
        if not latest:
            raise WrongState("This request has no benchmark to repeat; they start when a review becomes mandatory.")
        with transaction.atomic():
            again = [writes.measure_again(request=row, run=run, by=user, now=now) for run in latest.values()]
        return Response(RunAnswer(runs.describe_all(again), many=True).data, status=201)
