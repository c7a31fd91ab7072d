"""`workloads/`: what runs, with the answer for each workload."""

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.exports.web import export
from governance.people.api.caller import asker
from governance.site.api.shapes import TABLE_ANSWERS, TABLE_KIND, AnyAccept, ListInput, answer_of, choice, read, takes
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.workloads.queries import workloads
from reviews.workloads.queries.workloads import CHOICES, OPEN, WorkloadSelection, WorkloadView

WorkloadAnswer = answer_of(
    WorkloadView,
    helps={
        "approval": "denied, unknown, conditional or authorized, from the standings of its artifacts.",
        "is_claimed": "The answer rests on models that the deployment names; nobody observed them.",
        "since_is_reported": "false: since is the time of the first report.",
        "gpus": "Accelerators of all replicas by type.",
        "owner": "The label of the owner in the cluster, which is a claim.",
        "usd": "What was billed for it in this quarter; null where no bill line names it.",
    },
)


@takes(
    WorkloadSelection,
    without=["search"],
    team={"max_length": 60, "help_text": "Slug of a team."},
    cluster={"max_length": 80},
)
class WorkloadFilters(ListInput):
    """What the list of workloads can be narrowed to."""

    environment = choice(ENVIRONMENT_NAMES, required=False)
    approval = choice(
        CHOICES, required=False, help_text="An answer; open (nobody approved it, the default), claimed, or all."
    )


class Workloads(GenericAPIView[Any]):
    """What runs, as far as clusters report it and you may see it."""

    serializer_class = WorkloadAnswer

    @extend_schema(operation_id="workloads_list", parameters=[WorkloadFilters], responses=WorkloadAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The denied first, then the unknown, by cluster and name."""
        _, person, now = asker(request)
        rows = workloads.selected(person=person, filters=_filters(request), now=now)
        page = workloads.views(self.paginate_queryset(rows) or (), person=person, now=now)
        return self.get_paginated_response(WorkloadAnswer(page, many=True).data)


class WorkloadsExport(APIView):
    """What runs, as a file."""

    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="workloads_export", parameters=[TABLE_KIND, WorkloadFilters], responses=TABLE_ANSWERS)
    def get(self, request: Request, kind: str) -> HttpResponseBase:
        """Every workload that the filters leave."""
        _, person, _ = asker(request)
        return export(workloads.table(person=person, filters=_filters(request), now=timezone.now()), kind=kind)


def _filters(request: Request) -> WorkloadSelection:
    given = read(WorkloadFilters, request.query_params)
    texts = {name: given.get(name, "") for name in ("team", "environment", "cluster")}
    return WorkloadSelection(search=given.get("q", ""), approval=given.get("approval", OPEN), **texts)
