"""The chair's hand on the agenda: add an item, take one off with a reason, change the order."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from governance.inventory.models import ModelAsset
from governance.people.queries.people import person_of
from reviews.quarterly.actions.gathering import STEP
from reviews.quarterly.audit import record_of_cycle
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.rules import check_lead_meeting
from reviews.requests.models import ReviewRequest
from weighbridge.core.errors import Invalid, WrongState

TITLE_CHARS_MAX = 400
WORDS_CHARS_MIN = 5


def add(
    *,
    cycle: ReviewCycle,
    title: str,
    why: str,
    asset: ModelAsset | None = None,
    request: ReviewRequest | None = None,
    by: User,
    now: datetime,
) -> AgendaItem:
    """Put something on the agenda that no rule found."""
    check_lead_meeting(person_of(by))
    _check_words(title, field="title", most=TITLE_CHARS_MAX)
    _check_words(why, field="why", most=2_000)
    with transaction.atomic():
        row = _open(cycle)
        last = row.items.aggregate(last=Max("position"))["last"] or 0
        asset = asset or _asset(request)
        subject = f"{request.ref if request else asset.slug if asset else 'item'}:{row.items.count() + 1}"
        item = AgendaItem.objects.create(
            cycle=row,
            kind=AgendaKind.ADDED,
            subject=subject,
            title=title.strip(),
            why=why.strip(),
            page=_page(asset, request),
            position=last + STEP,
            asset=asset,
            request=request,
            team=asset.team if asset else None,
            added_by=by,
            added_at=now,
        )
        record_of_cycle(kind="item_added", cycle=row, by=by, now=now, details={"item": item.title}, reason=item.why)
    return item


def remove(*, item: AgendaItem, reason: str, by: User, now: datetime) -> AgendaItem:
    """Take an item off the agenda, with the reason; it is not gathered again, and the minutes say so."""
    check_lead_meeting(person_of(by))
    _check_words(reason, field="reason", most=2_000)
    with transaction.atomic():
        cycle = _open(item.cycle)
        row = _on_agenda(cycle, item)
        if row.decisions.exists():
            raise WrongState("This item was decided in the meeting; it stays on the agenda.")
        row.removed_at, row.removed_by, row.removal_reason = now, by, reason.strip()
        row.save(update_fields=["removed_at", "removed_by", "removal_reason"])
        details = {"item": row.title, "kind": row.kind}
        record_of_cycle(kind="item_removed", cycle=cycle, by=by, now=now, details=details, reason=reason)
    return row


def move(*, item: AgendaItem, place: int, by: User, now: datetime) -> AgendaItem:
    """Move an item to `place`, counted from 1, among those on the agenda; the order then stays as people made it."""
    check_lead_meeting(person_of(by))
    with transaction.atomic():
        cycle = _open(item.cycle)
        row = _on_agenda(cycle, item)
        others = list(cycle.items.filter(removed_at=None).exclude(pk=row.pk))
        if not 1 <= place <= len(others) + 1:
            raise Invalid(f"The place must be a number from 1 to {len(others) + 1}.", field="place")
        others.insert(place - 1, row)
        for number, each in enumerate(others, start=1):
            AgendaItem.objects.filter(pk=each.pk).update(position=number * STEP)
        cycle.is_reordered = True
        cycle.save(update_fields=["is_reordered"])
        record_of_cycle(kind="item_moved", cycle=cycle, by=by, now=now, details={"item": row.title, "place": place})
    row.refresh_from_db()
    return row


def _open(cycle: ReviewCycle) -> ReviewCycle:
    row = ReviewCycle.objects.select_for_update().get(pk=cycle.pk)
    if row.state == CycleState.CLOSED:
        raise WrongState(f"The review of {row} is closed; nothing of it changes any more.", code="closed")
    return row


def _on_agenda(cycle: ReviewCycle, item: AgendaItem) -> AgendaItem:
    row = cycle.items.filter(pk=item.pk, removed_at=None).first()
    if row is None:
        raise WrongState("This item was taken off the agenda already.", code="already")
    return row


def _check_words(text: str, *, field: str, most: int) -> None:
    if not WORDS_CHARS_MIN <= len(text.strip()) <= most:
        raise Invalid(f"Write {WORDS_CHARS_MIN} to {most:,} characters.", field=field)


def _page(asset: ModelAsset | None, request: ReviewRequest | None) -> str:
    if request is not None:
        return f"/requests/{request.ref}/"
    return f"/models/{asset.team.slug}/{asset.slug}/" if asset is not None else ""


def _asset(request: ReviewRequest | None) -> ModelAsset | None:
    return request.model_version.asset if request is not None else None
