"""Reads of webhooks and of the log of their messages."""

from itertools import chain

from django.conf import settings
from django.db.models import Count, Min, QuerySet

from governance import secrets
from governance.notifications.domain.addresses import pinned
from governance.notifications.models import Dispatch, TeamWebhook
from governance.notifications.rules import check_read_webhooks
from governance.people.domain.roles import Person
from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import NotFound
from weighbridge.load.target import permission_from, resolve_addresses

secrets.stores(
    "Addresses and secrets of webhooks",
    tokens=lambda: chain.from_iterable(
        TeamWebhook.objects.filter(removed_at=None).values_list("address", "secret", "previous_secret")
    ),
)


def webhooks_of(person: Person) -> QuerySet[TeamWebhook]:
    """The webhooks, and those that were removed. Raises NotAllowed unless the person may read them."""
    check_read_webhooks(person)
    return TeamWebhook.objects.select_related("team", "created_by")


def find_webhook(*, webhook_id: int, person: Person) -> TeamWebhook:
    """One of them. Raises NotFound if there is none."""
    row = webhooks_of(person).filter(pk=webhook_id).first()
    if row is None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return row


def messages_of(webhook: TeamWebhook) -> QuerySet[Dispatch]:
    """The messages of a webhook with the log of their calls, newest first; `told` notifications, one `about` this."""
    rows = webhook.dispatches.annotate(told=Count("notifications"), about=Min("notifications__reference"))
    return rows.prefetch_related("attempts").order_by("-pk")


def find_message(*, webhook: TeamWebhook, message_id: int) -> Dispatch:
    """One message of a webhook. Raises NotFound."""
    row = messages_of(webhook).filter(pk=message_id).first()
    if row is None:
        raise NotFound(f"{webhook} has no message {message_id}.")
    return row


def allowed_target(url: str) -> PinnedAddress:
    """The checked address of a webhook, under the settings of this installation. Raises Invalid or NotAllowed."""
    own = settings.WEIGHBRIDGE
    permissions = [permission_from(text) for text in own["WEBHOOK_NETWORKS"]]
    return pinned(url, permissions=permissions, allows_here=own["ALLOWS_LOCAL_WEBHOOKS"], resolve=resolve_addresses)
