"""Call a webhook in its own form, and log the attempt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from governance import secrets
from governance.jobs.queries import delivery_id_of
from governance.notifications.domain.chats import slack_message, teams_message
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.kinds import TEST
from governance.notifications.domain.lines import NoticeLine
from governance.notifications.domain.signatures import cloud_event, signed_headers
from governance.notifications.models import Dispatch, TeamWebhook
from governance.notifications.outbox.dispatches import log_attempt
from governance.notifications.queries.links import page_url
from governance.notifications.queries.webhooks import allowed_target
from governance.notifications.webhooks.posting import WebhookReply, post
from weighbridge.core.canonical import canonical_bytes
from weighbridge.core.errors import Refused


def call(*, dispatch: Dispatch, lines: Sequence[NoticeLine], now: datetime) -> WebhookReply:
    """Send the message of a dispatch and log the attempt. Status 0 means that no answer came; the text says why.

    Without `lines` the message is a test.
    """
    webhook = dispatch.webhook
    assert webhook is not None  # noqa: S101 -- the caller has checked it
    try:
        target = allowed_target(secrets.decrypt(webhook.address))
        body, headers = _message(lines, dispatch, webhook, now)
        answer = post(target, body, headers, now=now)
    except Refused as refusal:
        answer = WebhookReply(0, refusal.reason, 0)
    log_attempt(dispatch=dispatch, status=answer.status, answer=answer.text, taken_ms=answer.taken_ms, now=now)
    return answer


def _message(
    given: Sequence[NoticeLine], dispatch: Dispatch, webhook: TeamWebhook, now: datetime
) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of the message in the form of the webhook."""
    lines = tuple(given) or (_test_line(dispatch),)
    if webhook.flavor == WebhookFlavor.SIGNED:
        return _signed(lines[0], dispatch, webhook, now)
    message: dict[str, Any] = slack_message(lines) if webhook.flavor == WebhookFlavor.SLACK else teams_message(lines)
    return canonical_bytes(message), {"Content-Type": "application/json; charset=utf-8"}


def _signed(line: NoticeLine, dispatch: Dispatch, webhook: TeamWebhook, now: datetime) -> tuple[bytes, dict[str, str]]:
    own_id, source = delivery_id_of(dispatch.key), settings.WEIGHBRIDGE["BASE_URL"]
    body = canonical_bytes(cloud_event(line, message_id=own_id, source=source, team=webhook.team.slug))
    keys = [secrets.decrypt(webhook.secret or b"")]
    if webhook.previous_secret is not None and webhook.previous_until is not None and now < webhook.previous_until:
        keys.append(secrets.decrypt(webhook.previous_secret))
    return body, signed_headers(body, message_id=own_id, keys=keys, now=now)


def _test_line(dispatch: Dispatch) -> NoticeLine:
    sentence = "This is a test. Somebody asked for it on the page of the webhooks."
    return NoticeLine(
        kind=TEST, reference=str(dispatch.webhook), sentence=sentence, url=page_url("/webhooks/"), at=dispatch.made_at
    )
