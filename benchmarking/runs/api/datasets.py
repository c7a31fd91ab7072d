"""`datasets/`: evaluation sets: register, list, propose for governance, retire."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.actions import datasets as writes
from benchmarking.runs.actions.datasets import LICENSE_CHARS_MAX, NewDataset
from benchmarking.runs.domain.evaluation_sets import DatasetPurpose, DatasetStatus
from benchmarking.runs.queries import datasets as reads
from benchmarking.runs.rules import check_govern, check_propose_set, check_register
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeAnswer, ChangeReasonInput
from governance.site.api.shapes import Answer, Input, choice, read, read_for, takes


@takes(
    NewDataset,
    without=["upload"],
    name={"max_length": 120, "help_text": "The same name again is its next version."},
    license={"max_length": LICENSE_CHARS_MAX, "help_text": "For example MIT, or internal."},
    is_governed={"help_text": "Register it as governed at once; for data stewards."},
)
class DatasetInput(Input):
    """An evaluation set. Rows, size and class balance are computed from the file."""

    team = serializers.SlugField(
        max_length=60, required=False, help_text="Slug of the owner; may be left out by requesters of one team."
    )
    purpose = choice(DatasetPurpose, required=False, help_text="Default: acceptance.")
    file = serializers.FileField(
        max_length=160, source="upload", help_text="An .npz file with arrays x (inputs) and y (labels)."
    )


class DatasetFilters(Input):
    """A page of the list, and one status."""

    page = serializers.IntegerField(required=False, min_value=1)
    status = choice(DatasetStatus, required=False)


class DatasetAnswer(Answer):
    """One version of an evaluation set."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    team = serializers.CharField(source="team.slug", help_text="The owner.")
    license = serializers.CharField()
    purpose = choice(DatasetPurpose)
    status = choice(DatasetStatus)
    digest = serializers.CharField()
    rows = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    task = serializers.CharField(help_text="classes, or numbers of a regression.")
    class_balance = serializers.DictField(
        child=serializers.IntegerField(), help_text="Rows of each class, computed from the labels."
    )
    registered_by = serializers.CharField(source="registered_by.username")
    registered_at = serializers.DateTimeField()
    governed_by = serializers.CharField(source="governed_by.username", default=None, allow_null=True)
    governed_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)


class Datasets(GenericAPIView[Any]):
    """Evaluation sets: governed ones, and those of your teams."""

    parser_classes = [MultiPartParser]
    serializer_class = DatasetAnswer

    @extend_schema(operation_id="datasets_list", parameters=[DatasetFilters], responses=DatasetAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        asked = read(DatasetFilters, request.query_params)
        page = self.paginate_queryset(reads.listed(person=person, status=asked.get("status", "")))
        return self.get_paginated_response(DatasetAnswer(page, many=True).data)

    @extend_schema(
        operation_id="datasets_create", request={"multipart/form-data": DatasetInput}, responses={201: DatasetAnswer}
    )
    def post(self, request: Request) -> Response:
        """Register an .npz file as the next version of its name; the same content again is the same version."""
        user, person, now = asker(request)
        entry = NewDataset(**read_for(request, DatasetInput, lambda: check_register(person, team="")))
        return Response(DatasetAnswer(writes.register(entry=entry, by=user, now=now)).data, status=201)


class DatasetDetail(APIView):
    """One version of an evaluation set."""

    @extend_schema(operation_id="datasets_retrieve", responses=DatasetAnswer)
    def get(self, request: Request, dataset_id: int) -> Response:
        """Owner, license, purpose, class balance and status."""
        _, person, _ = asker(request)
        return Response(DatasetAnswer(reads.find(dataset_id=dataset_id, person=person)).data)


class DatasetProposal(APIView):
    """The proposal to govern a set."""

    @extend_schema(operation_id="datasets_propose", request=ChangeReasonInput, responses={201: ChangeAnswer})
    def post(self, request: Request, dataset_id: int) -> Response:
        """Ask that quality on this set counts as measured; a data steward from another team confirms the change."""
        user, person, now = asker(request)
        dataset = reads.find(dataset_id=dataset_id, person=person)
        team = dataset.team.slug
        reason = read_for(request, ChangeReasonInput, lambda: check_propose_set(person, team=team))["reason"]
        change = writes.propose(dataset=dataset, reason=reason, by=user, now=now)
        return Response(ChangeAnswer(change).data, status=201)


class DatasetRetirement(APIView):
    """The end of a set."""

    @extend_schema(operation_id="datasets_retire", request=ChangeReasonInput, responses=DatasetAnswer)
    def post(self, request: Request, dataset_id: int) -> Response:
        """No new request uses it, and new values on it are not measured; for data stewards."""
        user, person, now = asker(request)
        dataset = reads.find(dataset_id=dataset_id, person=person)
        given = read_for(request, ChangeReasonInput, lambda: check_govern(person, to="retire an evaluation set"))
        reason = given["reason"]
        return Response(DatasetAnswer(writes.retire(dataset=dataset, reason=reason, by=user, now=now)).data)
