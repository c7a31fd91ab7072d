"""Webhooks of the team of the author, made through the public actions."""

from datetime import datetime

from governance.notifications.actions import webhooks
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.models import TeamWebhook
from governance.notifications.outbox.dispatches import log_attempt
from governance.people.models import Team
from tests.factories.people import Cast

HERE = "http://localhost:9/"


def make_webhook(*, cast: Cast, now: datetime, address: str = HERE) -> TeamWebhook:
    """A webhook for signed events."""
    row, _ = webhooks.add_webhook(
        team=Team.objects.get(slug="search"),
        flavor=WebhookFlavor.SIGNED,
        name="Deployments",
        address=address,
        kinds=["decided"],
        by=cast.admin,
        now=now,
    )
    return row


def make_answered(*, cast: Cast, now: datetime) -> TeamWebhook:
    """A webhook that has answered a test."""
    row = make_webhook(cast=cast, now=now)
    dispatch = webhooks.test_webhook(webhook=row, by=cast.admin, now=now)
    log_attempt(dispatch=dispatch, status=500, answer="Out of order.", taken_ms=12, now=now)
    return row
