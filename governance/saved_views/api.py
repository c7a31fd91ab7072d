"""`saved-views/`: lists with filters that people named."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.saved_views.actions import remove_view, save_view
from governance.saved_views.queries import find, visible_to
from governance.saved_views.rules import check_remove_view
from governance.saved_views.serializers import SavedViewAnswer, SavedViewInput
from governance.site.api.shapes import read


class SavedViews(GenericAPIView[Any]):
    """The views that the asker saved, and those that their teams share."""

    serializer_class = SavedViewAnswer

    @extend_schema(operation_id="saved_views_list", responses=SavedViewAnswer(many=True))
    def get(self, request: Request) -> Response:
        """By list and name."""
        _, person, _ = asker(request)
        page = self.paginate_queryset(visible_to(person))
        return self.get_paginated_response(SavedViewAnswer(page, many=True).data)

    @extend_schema(operation_id="saved_views_save", request=SavedViewInput, responses={201: SavedViewAnswer})
    def post(self, request: Request) -> Response:
        """Save the filters of a list under a name, for oneself or for a team."""
        user, _, now = asker(request)
        row = save_view(**read(SavedViewInput, request.data), by=user, now=now)
        return Response(SavedViewAnswer(row).data, status=201)


class SavedViewRemoval(APIView):
    """The end of a view."""

    @extend_schema(operation_id="saved_views_remove", request=None, responses={204: None})
    def post(self, request: Request, view_id: int) -> Response:
        """Remove a view, for everybody who sees it."""
        user, person, now = asker(request)
        row = find(view_id=view_id, person=person)
        check_remove_view(person, owner_id=row.owner_id)
        remove_view(view=row, by=user, now=now)
        return Response(status=204)
