"""Celery tasks of the ground floor: delivering the outbox, and the tick's sign of life."""

import logging
from datetime import datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.utils import timezone

from governance import audit, outbox
from governance.actions import accounts, answers, budget_changes, changes, checkpoints, quarter_end
from governance.domain.accounts import TOLD, Happening
from governance.domain.refusals import WrongState
from governance.models import OutboxMessage, Pulse
from governance.queries.checkpoints import latest
from governance.queries.operation import TICK

CHECKPOINT_EVERY = timedelta(days=1)
IF_IT_WAS_NOT_YOU = "If you did not do this and asked nobody to, tell an administrator at once."
log = logging.getLogger(__name__)


@shared_task
def deliver(message_id: int) -> None:
    """Deliver one outbox message, if it is due and nobody else has it."""
    with audit.origin("job"):
        outbox.deliver(pk=message_id, now=timezone.now())


@outbox.on_tick
def forget_answers(now: datetime) -> None:
    """Keep the table of answered POSTs from growing for ever."""
    answers.forget(now=now)


@outbox.on_tick
def end_unconfirmed(now: datetime) -> None:
    """Close proposals that no second person confirmed in time."""
    changes.expire(now=now)
    budget_changes.expire(now=now)


@outbox.on_tick
def end_quarters(now: datetime) -> None:
    """Let what was left of a quarter that is over expire, once."""
    quarter_end.close_quarters(now=now)


@outbox.on_tick
def sign_daily(now: datetime) -> None:
    """Sign the head of the audit trail once a day; packets do so more often."""
    last = latest()
    if last is not None and last.at > now - CHECKPOINT_EVERY:
        return
    try:
        checkpoints.keep(now=now)
    except WrongState as refusal:
        log.warning("The audit trail has no checkpoint of today. %s", refusal.reason)


@outbox.on_tick
def leave_a_sign(now: datetime) -> None:
    """Let pages and probes see that the tick is alive."""
    Pulse.note(name=TICK, at=now)


@outbox.handles(accounts.TELL)
def tell_owner(message: OutboxMessage) -> None:
    """Tell somebody by mail what happened to their account; an account that is gone is told nothing."""
    user = User.objects.filter(pk=message.payload["user"]).exclude(email="").first()
    if user is not None:
        said, at = TOLD[Happening(message.payload["happening"])], datetime.fromisoformat(message.payload["at"])
        where = f"{settings.WEIGHBRIDGE['BASE_URL']}/accounts/2fa/"
        text = f"{said}\n\nIt was on {at:%Y-%m-%d at %H:%M} UTC. {IF_IT_WAS_NOT_YOU}\n\n{where}\n"
        send_mail(f"Weighbridge: {said}", text, None, [user.email])
