"""`workloads/reports/`: what clusters report, and which clusters do."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Input, answer_of, choice, read_for, takes
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.workloads.actions import reports as writes
from reviews.workloads.queries import workloads
from reviews.workloads.queries.workloads import ClusterView, StoredReport
from reviews.workloads.rules import check_remove_cluster, check_report
from weighbridge.client.workloads.report import MOST_WORKLOADS, WorkloadReport, read_report

ClusterAnswer = answer_of(
    ClusterView,
    helps={
        "workloads": "How many of its workloads you may see.",
        "is_silent": "No report for a day. What ran then may still run.",
    },
)
StoredReportAnswer = answer_of(StoredReport, helps={"counts": "Workloads by answer."})
WORKLOAD_HELP = (
    f"At most {MOST_WORKLOADS:,} objects: name, and as far as known namespace, image, image_digest, model_digests, "
    "since, replicas, gpus ({type: number}) and owner."
)


@takes(
    WorkloadReport,
    cluster={"max_length": 80},
    observed_at={"help_text": "When the cluster was looked at, with its zone."},
)
class ReportInput(Input):
    """What one cluster runs in one environment. It replaces the last report of the cluster, and authorizes nothing."""

    environment = choice(ENVIRONMENT_NAMES)
    workloads = serializers.ListField(child=serializers.DictField(), max_length=MOST_WORKLOADS, help_text=WORKLOAD_HELP)


class RemovalInput(Input):
    """Which cluster is gone, and why it is removed."""

    cluster = serializers.CharField(max_length=80)
    environment = choice(ENVIRONMENT_NAMES)
    reason = serializers.CharField(min_length=3, max_length=2000)


class Reports(APIView):
    """The reports of clusters."""

    @extend_schema(operation_id="workload_reports_list", responses=ClusterAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The clusters with workloads that you may see, with the age of their last reports."""
        _, person, now = asker(request)
        return Response(ClusterAnswer(workloads.clusters(person=person, now=now), many=True).data)

    @extend_schema(operation_id="workload_reports_create", request=ReportInput, responses={201: StoredReportAnswer})
    def post(self, request: Request) -> Response:
        """Report what a cluster runs, instead of its last report. A token of the scope report may do only this."""
        user, person, now = asker(request)
        read_for(request, ReportInput, lambda: check_report(person))
        # Read once more as the toolkit reads it: one parser knows what a workload is.
        row = writes.store_report(report=read_report(request.data), by=user, now=now)
        return Response(StoredReportAnswer(workloads.stored(row, now=now)).data, status=201)


class Removal(APIView):
    """The end of a cluster."""

    @extend_schema(operation_id="workload_reports_remove", request=RemovalInput, responses=ClusterAnswer(many=True))
    def post(self, request: Request) -> Response:
        """Remove a cluster that is gone; platform leads and administrators. The clusters that are left are answered."""
        user, person, now = asker(request)
        given = read_for(request, RemovalInput, lambda: check_remove_cluster(person))
        check_remove_cluster(person)
        row = workloads.find_cluster(cluster=given["cluster"], environment=given["environment"], person=person)
        writes.remove_cluster(report=row, reason=given["reason"], by=user, now=now)
        return Response(ClusterAnswer(workloads.clusters(person=person, now=now), many=True).data)
