"""Refresh the agenda of a cycle: add new items, remove settled ones, and keep the changes that people made."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.inventory.models import ModelAsset
from governance.people.models import Team
from reviews.quarterly.audit import record_cycle_event
from reviews.quarterly.domain.agenda import AgendaEntry, AgendaKind
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.queries.cycle_sources import agenda_entries
from reviews.requests.models import ReviewRequest

SETTLED = "Settled before the meeting."
STEP = 10


def refresh_agenda(*, cycle: ReviewCycle, by: User | None = None, now: datetime) -> None:
    """Make the rule-based part of a locked cycle's agenda equal to what the agenda rules find now.

    An item that a person removed stays removed. An item that was settled and is found again is restored.
    """
    with transaction.atomic():
        added, settled = _place(cycle, agenda_entries(cycle, now=now), now)
        cycle.gathered_at = now
        cycle.save(update_fields=["gathered_at"])
        if added or settled or by is not None:
            details = {"added": added, "settled": settled}
            record_cycle_event(kind="gathered", cycle=cycle, by=by, now=now, details=details)


def _place(cycle: ReviewCycle, entries: Iterable[AgendaEntry], now: datetime) -> tuple[int, int]:
    """Update the rows. Returns the number of added and of settled items."""
    wanted = {(entry.kind.value, entry.subject): entry for entry in entries}
    existing = {(row.kind, row.subject): row for row in AgendaItem.objects.filter(cycle=cycle)}
    last = max((row.position for row in existing.values()), default=0)
    added = settled = 0
    for number, (key, entry) in enumerate(wanted.items()):
        position = (number + 1) * STEP
        if (row := existing.get(key)) is None:
            _add(cycle, entry, last + STEP if cycle.is_reordered else position, now)
            added += 1
        elif row.removed_by_id is None:
            _refresh(row, entry, row.position if cycle.is_reordered else position)
    for key, row in existing.items():
        if key not in wanted and row.kind != AgendaKind.ADDED and row.removed_at is None:
            row.removed_at, row.removal_reason = now, SETTLED
            row.save(update_fields=["removed_at", "removal_reason"])
            settled += 1
    return added, settled


def _add(cycle: ReviewCycle, entry: AgendaEntry, position: int, now: datetime) -> AgendaItem:
    home, _, slug = entry.model.partition("/")
    return AgendaItem.objects.create(
        cycle=cycle,
        kind=entry.kind,
        subject=entry.subject,
        title=entry.title[:400],
        reason=entry.reason,
        page=entry.page,
        position=position,
        added_at=now,
        asset=ModelAsset.objects.filter(team__slug=home, slug=slug).first() if slug else None,
        request=ReviewRequest.objects.filter(ref=entry.request).first() if entry.request else None,
        team=Team.objects.filter(slug=entry.team or home).first(),
        recurs=_recurs(cycle, entry),
    )


def _recurs(cycle: ReviewCycle, entry: AgendaEntry) -> AgendaItem | None:
    """The latest item about the same subject in an earlier cycle. Items never reopen; a recurrence links back."""
    if entry.kind is AgendaKind.FOLLOW_UP:
        return AgendaItem.objects.filter(decisions__action__ref=entry.subject).first()
    rows = AgendaItem.objects.filter(kind=entry.kind, subject=entry.subject, cycle__quarter__lt=cycle.quarter)
    return rows.order_by("-cycle__quarter").first()


def _refresh(row: AgendaItem, entry: AgendaEntry, position: int) -> None:
    row.title, row.reason, row.page, row.position = entry.title[:400], entry.reason, entry.page, position
    row.removed_at, row.removal_reason = None, ""
    row.save(update_fields=["title", "reason", "page", "position", "removed_at", "removal_reason"])
