"""Kinds of changes that take two people. Each kind defines permissions, application and visibility."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.people.rules import may_read_changes, need_role
from weighbridge.core.errors import NotAllowed


@dataclass(frozen=True, kw_only=True)
class ChangeKind:
    """One kind of change. People with a role of `confirmers` confirm and refuse it, or the one person `confirmer`.

    `team` is the slug of the team to which what changes belongs, "" if it belongs to none.

    `check` raises if the change is invalid in the current state, `may_propose` (called again on confirmation) unless
    the person may propose it, and `check_impartial` if the second person has a part in it. `lock` locks the rows that
    a confirmation must lock before the change. The texts name the change and the second person in sentences, and tell
    on its page why no one can confirm, and the result of a confirmation.
    """

    name: Changed
    confirmers: tuple[Role, ...]
    may_propose: Callable[[Person, Change], None]
    apply: Callable[[Change, User, datetime], Any]
    visible: Callable[[Person], Q]
    why_none: str
    noun: str = "a change"
    another: str = "another administrator"
    done: str = "confirmed and in force."
    confirmer: Callable[[Change], User | None] = lambda _: None
    team: Callable[[Change], str] = lambda _: ""
    check_impartial: Callable[[Person, Change], None] = lambda *_: None
    check: Callable[[Change], None] = lambda *_: None
    lock: Callable[[Change], None] = lambda *_: None


SETTLES_AFTER = timedelta(hours=24)
KINDS: dict[str, ChangeKind] = {}
NONE = Q(pk__in=())
binding = partial(
    ChangeKind,
    confirmers=(Role.ADMIN,),
    visible=lambda person: Q() if may_read_changes(person) else NONE,
    why_none="All administrators proposed it or gain by it. An operator can make another "
    "person an administrator on the server: manage.py grant USER admin.",
)
"""The common part of the kinds that administrators confirm."""


Listener = Callable[[Change, User | None, datetime], None]
LISTENERS: list[Listener] = []


def on_step(listener: Listener) -> Listener:
    """Register a function for each step of a change: proposed, confirmed, refused, withdrawn, expired.

    It is called in the transaction of the step, with the change after it and who took it.
    """
    LISTENERS.append(listener)
    return listener


def register(kind: ChangeKind) -> ChangeKind:
    """Register a kind."""
    KINDS[kind.name] = kind
    return kind


def kind_of(change: Change) -> ChangeKind:
    """The kind of a change."""
    return KINDS[change.kind]


def check_confirm(person: Person, change: Change) -> None:
    """Raise NotAllowed unless the person may confirm it.

    Those who proposed it, wrote it or gain by it may not, nor those to whom its proposer has just given the role.
    """
    kind = kind_of(change)
    _need_confirmer(person, change, to="confirm")
    if person.id == change.proposed_by_id:
        raise NotAllowed(f"You proposed this change; {kind.another} must confirm it.")
    if person.id == change.gains_id:
        part = "You wrote the version that this change publishes, or you gain a role by it"
        raise NotAllowed(f"{part}; {kind.another} must confirm it.")
    if kind.confirmers and not person.roles.intersection(kind.confirmers) - _roles_from_proposer(person, change):
        hours = int(SETTLES_AFTER.total_seconds()) // 3600
        gave = f"{change.proposed_by.username}, who proposed this change, has given you the role since, or less than"
        raise NotAllowed(f"{gave} {hours} hours before; {kind.another} must confirm it.", code="new_role")
    kind.check_impartial(person, change)


def _roles_from_proposer(person: Person, change: Change) -> set[Role]:
    """The roles that the proposer of a change gave this person, or confirmed, after it or shortly before it."""
    recent = Change.objects.filter(kind=Changed.ROLE, gains_id=person.id, state=ChangeState.CONFIRMED)
    recent = recent.filter(closed_at__gt=change.proposed_at - SETTLES_AFTER)
    given = recent.filter(Q(proposed_by=change.proposed_by_id) | Q(closed_by=change.proposed_by_id))
    return {Role(part) for part in given.values_list("part", flat=True)}


def check_refuse(person: Person, change: Change) -> None:
    """Raise NotAllowed unless the person proposed the change, or may confirm such changes."""
    if not (person.is_active and person.id == change.proposed_by_id):
        _need_confirmer(person, change, to="refuse")


def _need_confirmer(person: Person, change: Change, *, to: str) -> None:
    kind = kind_of(change)
    named = kind.confirmer(change)
    if named is None:
        need_role(person, *kind.confirmers, to=f"{to} {kind.noun}")
    elif not (person.is_active and person.id == named.pk):
        raise NotAllowed(f"Only {named.get_full_name() or named.username} may {to} {kind.noun}.")
