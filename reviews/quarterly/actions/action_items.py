"""Acknowledge, finish and drop action items of the quarterly review, and update their tickets."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.people.queries.people import person_of
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState, check_change_to
from reviews.quarterly.models import ActionItem
from reviews.quarterly.rules import check_drop_action, check_finish_action
from reviews.tickets import actions as effects
from reviews.tickets.models import Ticket
from weighbridge.core.errors import Invalid

OUTCOME_CHARS_MIN, OUTCOME_CHARS_MAX = 5, 2_000


def acknowledge(*, item: ActionItem, by: User, now: datetime) -> ActionItem:
    """Acknowledge the item: its owner or a lead says that the work has started."""
    check_finish_action(person_of(by), owner_id=item.owner_id)
    return _move(item, ActionState.ACKNOWLEDGED, "", by, now)


def finish(*, item: ActionItem, outcome: str, by: User, now: datetime) -> ActionItem:
    """Close the item as done and store its outcome."""
    check_finish_action(person_of(by), owner_id=item.owner_id)
    return _move(item, ActionState.DONE, outcome, by, now)


def drop(*, item: ActionItem, outcome: str, by: User, now: datetime) -> ActionItem:
    """Drop the item with a reason. Only a lead who does not own it may do so."""
    check_drop_action(person_of(by), owner_id=item.owner_id)
    return _move(item, ActionState.DROPPED, outcome, by, now)


def _move(item: ActionItem, target: ActionState, outcome: str, by: User, now: datetime) -> ActionItem:
    is_end = target in ACTION_CLOSED
    if is_end and not OUTCOME_CHARS_MIN <= len(outcome.strip()) <= OUTCOME_CHARS_MAX:
        raise Invalid(
            f"Describe the outcome in {OUTCOME_CHARS_MIN} to {OUTCOME_CHARS_MAX:,} characters.", field="outcome"
        )
    with transaction.atomic():
        row = ActionItem.objects.select_for_update().get(pk=item.pk)
        source = ActionState(row.state)
        check_change_to(source=source, target=target)
        row.state = target
        if is_end:
            row.outcome, row.closed_at, row.closed_by = outcome.strip(), now, by
        row.save(update_fields=["state", "outcome", "closed_at", "closed_by"])
        ticket = Ticket.objects.select_related("action_item").get(action_item=row)
        effects.notify_ticket(ticket=ticket, occasion=target.value, reason=row.outcome, by=by, now=now)
        details = {"before": source.value, "after": target.value}
        audit.record(
            kind=f"action_item.{target.value}",
            by=by,
            subject=("action item", row.ref),
            details=details,
            reason=row.outcome,
            now=now,
        )
    return row
