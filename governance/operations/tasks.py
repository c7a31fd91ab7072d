"""Periodic tasks of the tick for the whole installation."""

import logging
from datetime import datetime, timedelta

from governance.audit.actions import checkpoints
from governance.audit.queries.checkpoints import latest, unsigned_since
from governance.jobs import outbox, ticks
from governance.jobs.models import OutboxMessage
from governance.people.approvals import actions as approvals
from governance.people.approvals.queries import overdue
from governance.site import actions as answers
from weighbridge.core.errors import WrongState

log = logging.getLogger(__name__)

CHECKPOINT_EVERY = timedelta(days=1)
FORGET = "answers.forget"


@ticks.on_tick(due=lambda now: [unsigned_since(now - CHECKPOINT_EVERY)])
def sign_daily(now: datetime) -> None:
    """Sign the head of the audit trail once a day. Packets also sign it."""
    last = latest()
    if last is not None and last.at > now - CHECKPOINT_EVERY:
        return
    try:
        checkpoints.sign_head(now=now)
    except WrongState as refusal:
        log.warning("The daily checkpoint of the audit trail failed. %s", refusal.reason)


@ticks.on_tick(due=lambda now: [overdue(now=now)])
def expire_changes(now: datetime) -> None:
    """Expire some changes that were not confirmed in time; the next tick continues."""
    approvals.expire(now=now)


@outbox.handles(FORGET)
def delete_old_answers(message: OutboxMessage) -> None:
    """Delete the idempotency records that were old for the tick, which had compared its clock."""
    answers.delete_old_answers(now=message.created_at)


ticks.regularly(FORGET, period=ticks.HOURLY)
