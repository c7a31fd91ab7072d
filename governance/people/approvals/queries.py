"""Reads of changes that take two people."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet

from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.kinds import KINDS, NONE, check_confirm, kind_of
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of, people_with, person_of
from governance.people.rules import may
from weighbridge.core.errors import NotFound


def listed(*, person: Person, state: str = "", kind: str = "") -> QuerySet[Change]:
    """Changes that the person may see, newest first, optionally of one state or kind."""
    seen = [Q(kind=name) & each.visible(person) for name, each in KINDS.items() if kind in ("", name)]
    rows = Change.objects.select_related("proposed_by", "closed_by", "gains").filter(reduce(or_, seen, NONE))
    return rows.filter(state=state) if state else rows


def find(*, change_id: int, person: Person) -> Change:
    """One change. Raises NotFound if it does not exist or the person may not see it."""
    change = listed(person=person).filter(pk=change_id).first()
    if change is None:
        raise NotFound(f"There is no change {change_id}.")
    return change


def overdue(*, now: datetime) -> QuerySet[Change]:
    """The changes that were not confirmed in time."""
    return Change.objects.filter(state=ChangeState.PENDING, expires_at__lte=now)


def open_for(*, kind: Changed, subject: Model) -> Change | None:
    """The open change of this row, if any."""
    return Change.objects.filter(state=ChangeState.PENDING, kind=kind, subject_id=subject.pk).first()


def pending_for(person: Person) -> QuerySet[Change]:
    """The open changes that this person may see, the first to expire first."""
    return listed(person=person, state=ChangeState.PENDING).order_by("expires_at", "pk")


def waits_for(change: Change, *, people: Sequence[User] | None = None) -> str:
    """Who can confirm an open change, by name; why no one can, if so. `people` are its `confirmers`, if known."""
    names = [name_of(user) for user in (confirmers(change) if people is None else people)]
    return " or ".join(names) or f"No one can confirm it now. {kind_of(change).why_none}"


def proposed_text(change: Change) -> str:
    """The sentences for the person who has just proposed a change: what happens next, and whom to ask."""
    people = confirmers(change)
    ask = f"Ask {waits_for(change, people=people)}." if people else waits_for(change, people=people)
    return f"{change} is proposed. A second person must confirm it on its page, under Changes. {ask}"


def confirmers(change: Change) -> list[User]:
    """The users who could confirm it now, by user name."""
    kind = kind_of(change)
    able = {user.pk: user for role in kind.confirmers for user in people_with(role)}
    if (named := kind.confirmer(change)) is not None:
        able = {named.pk: named}
    may_confirm = may(check_confirm)
    can = [user for user in able.values() if may_confirm(person_of(user), change)]
    return sorted(can, key=lambda user: user.username)
