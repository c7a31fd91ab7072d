"""`notifications/`: what the asker was told, and how they want to be told."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.notifications.actions.preferences import choose
from governance.notifications.api.serializers import (
    NotificationAnswer,
    NotificationFilters,
    PreferencesAnswer,
    PreferencesInput,
    ReadAnswer,
    ReadInput,
)
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.outbox.reading import mark_read
from governance.notifications.queries.due import hours_of
from governance.notifications.queries.notices import notices_of
from governance.notifications.queries.preferences import preferences_of
from governance.notifications.queries.relevance import readable
from governance.people.api.caller import asker
from governance.site.api.shapes import read


class Notifications(GenericAPIView[Any]):
    """What the asker was told."""

    serializer_class = NotificationAnswer

    @extend_schema(
        operation_id="notifications_list", parameters=[NotificationFilters], responses=NotificationAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        user, person, _ = asker(request)
        given, rows = read(NotificationFilters, request.query_params), notices_of(user.pk)
        if given.get("unread"):
            rows = rows.filter(read_at=None)
        page = readable(self.paginate_queryset(rows) or (), person=person)
        return self.get_paginated_response(NotificationAnswer(page, many=True).data)


class NotificationsRead(APIView):
    """What the asker has read."""

    @extend_schema(operation_id="notifications_read", request=ReadInput, responses=ReadAnswer)
    def post(self, request: Request) -> Response:
        """Mark some notifications as read, or all of them."""
        user, _, now = asker(request)
        given = read(ReadInput, request.data)
        return Response(ReadAnswer({"read": mark_read(person=user, ids=given.get("ids"), now=now)}).data)


class NotificationSettings(APIView):
    """How the asker is told."""

    @extend_schema(operation_id="notification_settings", responses=PreferencesAnswer)
    def get(self, request: Request) -> Response:
        """The pace of each kind, and the hours."""
        user, _, _ = asker(request)
        return Response(PreferencesAnswer(preferences_of(user.pk)).data)

    @extend_schema(operation_id="notification_settings_choose", request=PreferencesInput, responses=PreferencesAnswer)
    def post(self, request: Request) -> Response:
        """Choose paces and hours. What is not named stays."""
        user, _, now = asker(request)
        given = read(PreferencesInput, request.data)
        paces = {kind: NoticePace(pace) for kind, pace in given.pop("paces", {}).items()}
        choose(paces=paces, hours=replace(hours_of(user.pk), **given), by=user, now=now)
        return Response(PreferencesAnswer(preferences_of(user.pk)).data)
