"""Changes that leads make to the agenda: add an item, remove one with a reason, change the order."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from governance.inventory.models import ModelAsset
from governance.people.queries.people import person_of
from reviews.quarterly.actions.agenda_refresh import STEP
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.rules import check_lead_meeting
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid, WrongState

TITLE_CHARS_MAX = 400
TEXT_CHARS_MIN = 5


def add(
    *,
    cycle: ReviewCycle,
    title: str,
    reason: str,
    asset: ModelAsset | None = None,
    request: ReviewRequest | None = None,
    by: User,
    now: datetime,
) -> AgendaItem:
    """Add an item that the agenda rules did not find."""
    check_lead_meeting(person_of(by))
    _check_text(title, field="title", max_chars=TITLE_CHARS_MAX)
    _check_text(reason, field="reason", max_chars=2_000)
    with transaction.atomic():
        row = _open(cycle)
        last = row.items.aggregate(last=Max("position"))["last"] or 0
        asset = asset or (request.model_version.asset if request else None)
        subject = f"{request.ref if request else asset.slug if asset else 'item'}:{row.items.count() + 1}"
        item = AgendaItem.objects.create(
            cycle=row,
            kind=AgendaKind.ADDED,
            subject=subject,
            title=title.strip(),
            reason=reason.strip(),
            page=_page(asset, request),
            position=last + STEP,
            asset=asset,
            request=request,
            team=asset.team if asset else None,
            added_by=by,
            added_at=now,
        )
        record_cycle_event(
            kind="item_added", cycle=row, by=by, now=now, details={"item": item.title}, reason=item.reason
        )
    return item


def remove(*, item: AgendaItem, reason: str, by: User, now: datetime) -> AgendaItem:
    """Remove an item with a reason. A refresh does not add it again, and the minutes list it."""
    check_lead_meeting(person_of(by))
    _check_text(reason, field="reason", max_chars=2_000)
    with transaction.atomic():
        cycle = _open(item.cycle)
        row = _on_agenda(cycle, item)
        if row.decisions.exists():
            raise WrongState("The meeting has decided this item, so it cannot be removed from the agenda.")
        row.removed_at, row.removed_by, row.removal_reason = now, by, reason.strip()
        row.save(update_fields=["removed_at", "removed_by", "removal_reason"])
        details = {"item": row.title, "kind": row.kind}
        record_cycle_event(kind="item_removed", cycle=cycle, by=by, now=now, details=details, reason=reason)
    return row


def put_back(*, item: AgendaItem, by: User, now: datetime) -> AgendaItem:
    """Put a removed item back on the agenda."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        cycle = _open(item.cycle)
        row = cycle.items.filter(pk=item.pk).exclude(removed_at=None).first()
        if row is None:
            raise WrongState("This item is on the agenda.", code="already")
        row.removed_at, row.removed_by, row.removal_reason = None, None, ""
        row.save(update_fields=["removed_at", "removed_by", "removal_reason"])
        details = {"item": row.title, "kind": row.kind}
        record_cycle_event(kind="item_put_back", cycle=cycle, by=by, now=now, details=details)
    return row


def move(*, item: AgendaItem, position: int, by: User, now: datetime) -> AgendaItem:
    """Move an item to `position`, counted from 1. From then on a refresh keeps the order that people set."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        cycle = _open(item.cycle)
        row = _on_agenda(cycle, item)
        others = list(cycle.items.filter(removed_at=None).exclude(pk=row.pk))
        if not 1 <= position <= len(others) + 1:
            raise Invalid(f"The position must be a number from 1 to {len(others) + 1}.", field="position")
        others.insert(position - 1, row)
        for number, other in enumerate(others, start=1):
            AgendaItem.objects.filter(pk=other.pk).update(position=number * STEP)
        cycle.is_reordered = True
        cycle.save(update_fields=["is_reordered"])
        record_cycle_event(
            kind="item_moved", cycle=cycle, by=by, now=now, details={"item": row.title, "position": position}
        )
    row.refresh_from_db()
    return row


def _open(cycle: ReviewCycle) -> ReviewCycle:
    row = ReviewCycle.objects.select_for_update().get(pk=cycle.pk)
    if row.state == CycleState.CLOSED:
        raise WrongState(f"The review of {row} is closed and cannot be changed.", code="closed")
    return row


def _on_agenda(cycle: ReviewCycle, item: AgendaItem) -> AgendaItem:
    row = cycle.items.filter(pk=item.pk, removed_at=None).first()
    if row is None:
        raise WrongState("This item was already removed from the agenda.", code="already")
    return row


def _check_text(text: str, *, field: str, max_chars: int) -> None:
    if not TEXT_CHARS_MIN <= len(text.strip()) <= max_chars:
        raise Invalid(f"Write {TEXT_CHARS_MIN} to {max_chars:,} characters.", field=field)


def _page(asset: ModelAsset | None, request: ReviewRequest | None) -> str:
    if request is not None:
        return f"/requests/{request.ref}/"
    return f"/models/{asset.team.slug}/{asset.slug}/" if asset is not None else ""
