"""What the tick does for the installation as a whole."""

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
    """Sign the head of the audit trail once a day; packets do so more often."""
    last = latest()
    if last is not None and last.at > now - CHECKPOINT_EVERY:
        return
    try:
        checkpoints.keep(now=now)
    except WrongState as refusal:
        log.warning("The audit trail has no checkpoint of today. %s", refusal.reason)


@outbox.on_tick
def end_unconfirmed(now: datetime) -> None:
    """Close proposals that no second person confirmed in time."""
    approvals.expire(now=now)


@outbox.on_tick
def forget_answers(now: datetime) -> None:
    """Keep the table of answered POSTs from growing for ever."""
    answers.forget(now=now)
