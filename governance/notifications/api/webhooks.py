"""`webhooks/`: the webhooks of teams, and the log of their messages. A secret is answered once, and stored nowhere."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.notifications.actions.webhooks import (
    add_webhook,
    change_webhook,
    remove_webhook,
    rotate_secret,
    send_again,
    test_webhook,
)
from governance.notifications.api.serializers import (
    NewWebhookAnswer,
    RotationInput,
    WebhookAnswer,
    WebhookChangeInput,
    WebhookFilters,
    WebhookInput,
    WebhookMessageAnswer,
)
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.hours import ChannelTimes
from governance.notifications.domain.kinds import NoticePace
from governance.notifications.queries.webhooks import find_message, find_webhook, messages_of, webhooks_of
from governance.notifications.rules import check_manage_webhooks
from governance.people.api.caller import asker
from governance.site.api.idempotency import HEADER
from governance.site.api.shapes import Nothing, read, read_for
from weighbridge.core.errors import Invalid


class Webhooks(GenericAPIView[Any]):
    """The webhooks of all teams."""

    serializer_class = WebhookAnswer

    @extend_schema(operation_id="webhooks_list", parameters=[WebhookFilters], responses=WebhookAnswer(many=True))
    def get(self, request: Request) -> Response:
        """By team and name; for platform leads, administrators and auditors."""
        _, person, _ = asker(request)
        rows, given = webhooks_of(person), read(WebhookFilters, request.query_params)
        page = self.paginate_queryset(rows.filter(removed_at__isnull=not given.get("removed", False)))
        return self.get_paginated_response(WebhookAnswer(page, many=True).data)

    @extend_schema(operation_id="webhooks_add", request=WebhookInput, responses={201: NewWebhookAnswer})
    def post(self, request: Request) -> Response:
        """Add a webhook. The answer has its secret, which nobody sees again; that of a chat is empty."""
        user, person, now = asker(request)
        given = read_for(request, WebhookInput, lambda: check_manage_webhooks(person))
        check_manage_webhooks(person)
        check_not_kept(request)
        flavor = WebhookFlavor(given.pop("flavor"))
        row, secret = add_webhook(flavor=flavor, **_settings(given, ChannelTimes()), by=user, now=now)
        return Response(NewWebhookAnswer({"id": row.pk, "secret": secret}).data, status=201)


class WebhookDetail(APIView):
    """One webhook."""

    @extend_schema(operation_id="webhooks_read", responses=WebhookAnswer)
    def get(self, request: Request, webhook_id: int) -> Response:
        """Its team, name and kinds."""
        _, person, _ = asker(request)
        return Response(WebhookAnswer(find_webhook(webhook_id=webhook_id, person=person)).data)

    @extend_schema(operation_id="webhooks_change", request=WebhookChangeInput, responses=WebhookAnswer)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Change the name, the kinds, the pace and the hours."""
        user, person, now = asker(request)
        given = read_for(request, WebhookChangeInput, lambda: check_manage_webhooks(person))
        row = find_webhook(webhook_id=webhook_id, person=person)
        return Response(
            WebhookAnswer(change_webhook(webhook=row, **_settings(given, row.times), by=user, now=now)).data
        )


class WebhookRotation(APIView):
    """The secret of a webhook."""

    @extend_schema(operation_id="webhooks_rotate", request=RotationInput, responses=NewWebhookAnswer)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Replace the secret. For seven days, messages are signed with both, and the secret is not replaced again."""
        user, person, now = asker(request)
        given = read_for(request, RotationInput, lambda: check_manage_webhooks(person))
        check_manage_webhooks(person)
        check_not_kept(request)
        row = find_webhook(webhook_id=webhook_id, person=person)
        secret = rotate_secret(webhook=row, **given, by=user, now=now)
        return Response(NewWebhookAnswer({"id": row.pk, "secret": secret}).data)


class WebhookRemoval(APIView):
    """The end of a webhook."""

    @extend_schema(operation_id="webhooks_remove", request=Nothing, responses={204: None})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Remove it. Its log stays."""
        user, person, now = asker(request)
        read_for(request, Nothing, lambda: check_manage_webhooks(person))
        row = find_webhook(webhook_id=webhook_id, person=person)
        remove_webhook(webhook=row, by=user, now=now)
        return Response(status=204)


class WebhookMessages(GenericAPIView[Any]):
    """The messages of one webhook."""

    serializer_class = WebhookMessageAnswer

    @extend_schema(operation_id="webhook_messages_list", responses=WebhookMessageAnswer(many=True))
    def get(self, request: Request, webhook_id: int) -> Response:
        """Newest first, each with its calls."""
        _, person, _ = asker(request)
        page = self.paginate_queryset(messages_of(find_webhook(webhook_id=webhook_id, person=person)))
        return self.get_paginated_response(WebhookMessageAnswer(page, many=True).data)


class WebhookTest(APIView):
    """A test of a webhook."""

    @extend_schema(operation_id="webhooks_test", request=Nothing, responses={201: WebhookMessageAnswer})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Send a test message."""
        user, person, now = asker(request)
        read_for(request, Nothing, lambda: check_manage_webhooks(person))
        row = find_webhook(webhook_id=webhook_id, person=person)
        return Response(WebhookMessageAnswer(test_webhook(webhook=row, by=user, now=now)).data, status=201)


class WebhookAgain(APIView):
    """A repetition of a message."""

    @extend_schema(operation_id="webhooks_send_again", request=Nothing, responses=WebhookMessageAnswer)
    def post(self, request: Request, webhook_id: int, message_id: int) -> Response:
        """Send the message again, under the same ID."""
        user, person, now = asker(request)
        read_for(request, Nothing, lambda: check_manage_webhooks(person))
        row = find_webhook(webhook_id=webhook_id, person=person)
        message = find_message(webhook=row, message_id=message_id)
        send_again(webhook=row, dispatch=message, by=user, now=now)
        return Response(WebhookMessageAnswer(message).data)


def _settings(given: dict[str, Any], times: ChannelTimes) -> dict[str, Any]:
    """The input as the actions take it; a pace and hours that are not named are those of `times`."""
    named = {name: given.pop(name) for name in vars(times.hours) if name in given}
    pace = NoticePace(given.pop("pace", times.pace))
    return {**given, "times": ChannelTimes(pace=pace, hours=replace(times.hours, **named))}


def check_not_kept(request: Request) -> None:
    """Raise Invalid for a call with a key of repetition, because its answer would be stored with the secret."""
    if HEADER in request.headers:
        raise Invalid(f"The answer has a secret, so this call takes no {HEADER}.", code="not_kept")
