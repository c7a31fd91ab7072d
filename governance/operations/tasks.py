"""Periodic tasks of the tick for the whole installation."""

import logging
from datetime import datetime, timedelta

from governance.audit.actions import checkpoints
from governance.audit.queries.checkpoints import latest
from governance.jobs import outbox
from governance.people.approvals import actions as approvals
from governance.site import actions as answers
from weighbridge.core.errors import WrongState

log = logging.getLogger(__name__)

CHECKPOINT_EVERY = timedelta(days=1)


@outbox.on_tick
def sign_daily(now: datetime) -> None:
    """Sign the head of the audit trail once a day. Packets also sign it."""
    last = latest()
    if last is not None and last.at > now - CHECKPOINT_EVERY:
        return
    try:
        checkpoints.sign_head(now=now)
    except WrongState as refusal:
        log.warning("The daily checkpoint of the audit trail failed. %s", refusal.reason)


@outbox.on_tick
def expire_changes(now: datetime) -> None:
    """Expire changes that were not confirmed in time."""
    approvals.expire(now=now)


@outbox.on_tick
def delete_old_answers(now: datetime) -> None:
    """Delete old idempotency records."""
    answers.delete_old_answers(now=now)
