"""Queries of action items: one for its page, those of a meeting, and those that are open."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.models import ActionItem, ReviewCycle
from reviews.quarterly.rules import may_see_cycles
from reviews.requests.domain.copies import copy_of
from weighbridge.core.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class ActionView:
    """An action item as a page shows it."""

    ref: str
    quarter: str
    kind: str
    words: str
    title: str
    owner: str
    opened_at: datetime
    due_on: date
    state: str
    outcome: str
    ticket: str
    ticket_url: str
    is_overdue: bool


def find_action(*, ref: str, person: Person) -> ActionItem:
    """The action item, if the person owns it or may see the quarterly review. Raises NotFound otherwise."""
    related = ("owner", "closed_by", "decision__decided_by", "decision__item__cycle", "ticket")
    item = ActionItem.objects.select_related(*related).filter(ref=ref).first()
    if item is None or not (may_see_cycles(person) or (person.is_active and item.owner_id == person.id)):
        raise NotFound(f"There is no action item {ref} that you can see.")
    return item


def open_action_items(which: Q) -> QuerySet[ActionItem]:
    """The open action items of all quarters that `which` selects, earliest due date first."""
    return _actions().filter(which, closed_at=None).order_by("due_on", "pk")


def action_view(row: ActionItem, *, now: datetime) -> ActionView:
    """One action item."""
    decision, ticket = row.decision, getattr(row, "ticket", None)
    return copy_of(
        row,
        ActionView,
        quarter=decision.item.cycle.quarter,
        kind=decision.kind,
        title=decision.item.title,
        words=DecisionKind(decision.kind).words,
        owner=name_of(row.owner),
        ticket=ticket.key if ticket else "",
        ticket_url=ticket.url if ticket else "",
        is_overdue=row.closed_at is None and row.due_on < now.date(),
    )


def _actions() -> QuerySet[ActionItem]:
    return ActionItem.objects.select_related("owner", "ticket", "decision__item__cycle").order_by("pk")


def actions_of(cycle: ReviewCycle) -> QuerySet[ActionItem]:
    """The action items of the meeting."""
    return _actions().filter(decision__item__cycle=cycle)


def earlier_actions(cycle: ReviewCycle) -> QuerySet[ActionItem]:
    """Action items of earlier meetings that are open, or belong to the latest meeting held before."""
    last = ReviewCycle.objects.filter(quarter__lt=cycle.quarter, held_at__isnull=False).order_by("-quarter").first()
    rows = _actions().filter(decision__item__cycle__quarter__lt=cycle.quarter)
    return rows.filter(Q(closed_at=None) | Q(decision__item__cycle=last) if last else Q(closed_at=None))
