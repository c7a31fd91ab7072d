"""`datasets/`: evaluation data."""

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from benchmarking.runs.actions import datasets as writes
from benchmarking.runs.api.inputs import DatasetFilters, DatasetInput
from benchmarking.runs.api.serializers import DatasetAnswer
from benchmarking.runs.models import Dataset
from governance.people.api.caller import asker
from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from governance.site.api.shapes import read


class Datasets(GenericAPIView[Any]):
    """The evaluation data of your teams."""

    parser_classes = [MultiPartParser]
    serializer_class = DatasetAnswer

    @extend_schema(operation_id="datasets_list", parameters=[DatasetFilters], responses=DatasetAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first."""
        _, person, _ = asker(request)
        read(DatasetFilters, request.query_params)
        page = self.paginate_queryset(_visible_to(person).order_by("-registered_at", "-pk"))
        return self.get_paginated_response(DatasetAnswer(page, many=True).data)

    @extend_schema(
        operation_id="datasets_create", request={"multipart/form-data": DatasetInput}, responses={201: DatasetAnswer}
    )
    def post(self, request: Request) -> Response:
        """Keep an .npz file; the same content again is the same data set."""
        user, _, now = asker(request)
        given = read(DatasetInput, request.data)
        dataset = writes.register(name=given["name"], upload=given["file"], by=user, now=now)
        return Response(DatasetAnswer(dataset).data, status=201)


def _visible_to(person: Person) -> QuerySet[Dataset]:
    """Data registered by the person or by somebody of their teams."""
    rows = Dataset.objects.select_related("registered_by")
    if sees_everything(person):
        return rows
    teams = Q(registered_by__role_grants__team__slug__in=person.teams)
    return rows.filter(teams | Q(registered_by_id=person.id)).distinct()
