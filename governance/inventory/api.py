"""`models/`: registering model versions, and the inventory."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from governance.inventory import queries as inventory
from governance.inventory.actions import inventory as writes
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.queries import ModelSelection
from governance.inventory.serializers import ModelAnswer, ModelFilters, ModelInput, ModelVersionAnswer
from governance.people.api.caller import asker
from governance.people.rules import check_act_for_any_team
from governance.site.api.shapes import read, read_for


class Models(GenericAPIView[Any]):
    """The models of the teams whose work you may see."""

    parser_classes = [MultiPartParser]
    serializer_class = ModelAnswer

    @extend_schema(operation_id="models_list", parameters=[ModelFilters], responses=ModelAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The inventory, by name."""
        _, person, _ = asker(request)
        given = read(ModelFilters, request.query_params)
        filters = ModelSelection(given.get("q", ""), given.get("team", ""), given.get("tier", ""))
        page = self.paginate_queryset(inventory.listed(person=person, filters=filters))
        return self.get_paginated_response(ModelAnswer(page, many=True).data)

    @extend_schema(
        operation_id="models_create", request={"multipart/form-data": ModelInput}, responses={201: ModelVersionAnswer}
    )
    def post(self, request: Request) -> Response:
        """Register a version by its file, by URI and SHA-256, or by the document of its kind.

        The same content again is the same version.
        """
        user, person, now = asker(request)
        given = read_for(request, ModelInput, lambda: check_act_for_any_team(person))
        asset = NewAsset(**{name: given[name] for name in ("team", "slug", "name", "tier", "task", "owner")})
        entry = NewVersion(
            asset=asset,
            version=given["version"],
            upload=given.get("file"),
            uri=given.get("uri", ""),
            digest=given.get("sha256", ""),
            subject=given.get("subject"),
            lineage=given.get("lineage", []),
        )
        version = writes.register(entry=entry, by=user, now=now)
        return Response(ModelVersionAnswer(version).data, status=201)
