"""Findings in an inbox."""

from collections.abc import Iterator, Set
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse

from governance.findings.models import IS_OPEN, Finding
from governance.findings.rules import may_assign_finding
from governance.people.domain.roles import Person
from governance.site.queries import ROWS_MAX
from reviews.inbox.domain import LISTED_MAX, InboxBatch, InboxEntry, InboxKind, end_of
from reviews.inbox.queries.away import away_people, is_away, why_away


def findings(person: Person, *, absent: Set[int]) -> Iterator[InboxEntry]:
    """The open findings of this person; for those who assign them also those that nobody looks into.

    Of these, each with a due date or with an owner who is away stands alone, and the others in one entry.
    """
    assigns = may_assign_finding(person)
    rows = Finding.objects.filter(pk__in=_concerning(person, absent, assigns=assigns)).select_related("owner")
    for row in rows.order_by("due_on", "pk")[:LISTED_MAX]:
        yield _entry(row, _step(row, person), None if row.owner_id == person.id else InboxBatch.ASSIGN)
    if assigns:
        yield from _without_owner()


def _concerning(person: Person, absent: Set[int], *, assigns: bool) -> QuerySet[Finding, Any]:
    """The ids of the findings that stand alone: parts that each read an index of open findings."""
    opened = Finding.objects.filter(IS_OPEN).order_by().values("pk")
    own = opened.filter(owner=person.id)
    if not assigns:
        return own
    left = opened.filter(owner__in=away_people(absent=absent))
    return own.union(left, opened.filter(owner=None, due_on__isnull=False))


def waits_for_owner(*, finding_id: int, absent: Set[int]) -> bool:
    """Whether nobody looks into the finding: it has no owner, or one who is away."""
    return Finding.objects.filter(is_away("owner", absent=absent) | Q(owner=None), pk=finding_id).exists()


def _step(row: Finding, person: Person) -> str:
    if row.owner is None:
        return "Nobody looks into it. Assign it to a person."
    if row.owner.pk == person.id:
        return "Look into it, and close it with a note."
    return f"{why_away(row.owner)} Assign it to another person."


def _entry(row: Finding, step: str, batch: InboxBatch | None) -> InboxEntry:
    return InboxEntry(
        kind=InboxKind.FINDING,
        ref=str(row),
        title=row.text,
        path=reverse("governance:finding", args=[row.pk]),
        step=step,
        since=row.opened_at,
        ends_at=end_of(row.due_on) if row.due_on else None,
        note=row.subject,
        batch=batch,
    )


def _without_owner() -> Iterator[InboxEntry]:
    rows = Finding.objects.filter(IS_OPEN, owner=None, due_on=None).order_by("owner_id", "due_on", "opened_at")
    first = rows.values("opened_at")[: ROWS_MAX + 1]
    nobody = first.aggregate(count=Count("opened_at"), since=Min("opened_at"))
    if nobody["count"]:
        one, count = nobody["count"] == 1, nobody["count"]
        many = f"{count}" if count <= ROWS_MAX else f"More than {ROWS_MAX:,}"
        yield InboxEntry(
            kind=InboxKind.FINDING,
            ref="",
            title="1 finding without an owner" if one else f"{many} findings without an owner",
            path=f"{reverse('governance:findings')}?state=open&owner=none",
            step="Assign it to a person." if one else "Assign each to a person.",
            since=nobody["since"],
        )
