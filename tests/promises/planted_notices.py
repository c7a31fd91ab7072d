"""Notifications, a webhook and its log, in which every text is a payload."""

from datetime import datetime

from governance.notifications.actions import webhooks
from governance.notifications.domain.events import Occurrence
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.outbox.dispatches import log_attempt
from governance.notifications.outbox.notices import notify
from governance.people.models import Team
from tests.factories.people import Cast
from tests.promises.payloads import Seeds

HERE = "http://localhost:9/"


def plant_notices(seed: Seeds, *, team: Team, cast: Cast, now: datetime) -> None:
    """Everybody is told something, and a webhook has answered something."""
    for key in ("one", "two"):
        event = Occurrence(kind="decided", key=key, reference=seed.short(), path="/", sentence=seed.long())
        notify(event=event, people=cast.everybody(), now=now)
    row, _ = webhooks.add_webhook(
        team=team,
        flavor=WebhookFlavor.SIGNED,
        name=seed.short()[: webhooks.NAME_CHARS_MAX],
        address=HERE,
        kinds=["decided"],
        by=cast.admin,
        now=now,
    )
    dispatch = webhooks.test_webhook(webhook=row, by=cast.admin, now=now)
    log_attempt(dispatch=dispatch, status=500, answer=seed.long(), taken_ms=1, now=now)
