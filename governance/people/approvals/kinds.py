"""Kinds of changes that take two people: each declares who may, how it applies, and who sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.people.rules import need_role
from weighbridge.core.errors import NotAllowed


@dataclass(frozen=True, kw_only=True)
class ChangeKind:
    """One kind.

    `confirmers` confirm and refuse; `noun` and `another` name the change and the second person in sentences. `check`
    raises where it makes no sense as things stand, `may_propose` (asked again when somebody confirms) unless the person
    may ask for it, `check_impartial` where the second person has a part in it. `lock` locks what confirming locks
    before the proposal. `done` and `nobody` are the page's: what a confirmation did, and why nobody can confirm.
    """

    name: Changed
    confirmers: tuple[Role, ...]
    may_propose: Callable[[Person, Change], None]
    apply: Callable[[Change, User, datetime], Any]
    visible: Callable[[Person], Q]
    nobody: str
    noun: str = "a change"
    another: str = "another administrator"
    done: str = "confirmed and in force."
    check_impartial: Callable[[Person, Change], None] = lambda *_: None
    check: Callable[[Change], None] = lambda *_: None
    lock: Callable[[Change], None] = lambda *_: None


KINDS: dict[str, ChangeKind] = {}


def register(kind: ChangeKind) -> ChangeKind:
    """Make a kind known to the mechanism."""
    KINDS[kind.name] = kind
    return kind


def kind_of(change: Change) -> ChangeKind:
    """The kind of a change."""
    return KINDS[change.kind]


def check_confirm(person: Person, change: Change) -> None:
    """Raise NotAllowed unless the person may be the second one: never who proposed it, wrote it or gains by it."""
    kind = kind_of(change)
    need_role(person, *kind.confirmers, to=f"confirm {kind.noun}")
    if person.id == change.proposed_by_id:
        raise NotAllowed(f"You proposed this change; {kind.another} must confirm it.")
    if person.id == change.gains_id:
        raise NotAllowed(f"You wrote what this change publishes, or gain a role by it; {kind.another} must confirm it.")
    kind.check_impartial(person, change)


def check_refuse(person: Person, change: Change) -> None:
    """Raise NotAllowed unless the person may close it without effect: whoever proposed it, or could confirm others'."""
    if not (person.is_active and person.id == change.proposed_by_id):
        need_role(person, *kind_of(change).confirmers, to=f"refuse {kind_of(change).noun}")
