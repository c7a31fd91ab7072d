"""Permissions of saved views: `check_` functions raise with a reason, `may_` functions return a bool.

Everybody saves views for themselves. A view shows only what its reader may see.
"""

from collections.abc import Callable, Mapping

from governance.people.domain.roles import Person, Role
from governance.people.rules import check_manage_people, check_read_trail, may
from governance.saved_views.domain import LISTS
from weighbridge.core.errors import NotAllowed


def _everybody(person: Person) -> None:
    """Every person opens this list, and finds there what they may see."""


_OPENING: Mapping[str, Callable[[Person], None]] = dict.fromkeys(LISTS, _everybody) | {
    "governance:audit": check_read_trail,
    "governance:people": check_manage_people,
}
"""The check of whoever opens the page of each list."""


def check_open_list(person: Person, *, list_name: str) -> None:
    """Save a view of this list: whoever may open it. Raises NotAllowed; a list that is not known is no matter here."""
    _OPENING.get(list_name, _everybody)(person)


may_open_list = may(check_open_list)


def lists_of(person: Person) -> tuple[str, ...]:
    """The lists that the person may open; views of no other list are shown to them."""
    return tuple(name for name in LISTS if may_open_list(person, list_name=name))


def shares_with_all(person: Person) -> bool:
    """Whether the person may share views with each team: platform leads and administrators."""
    return person.has_role(Role.PLATFORM_LEAD) or person.has_role(Role.ADMIN)


def check_share_view(person: Person, *, team: str) -> None:
    """Share a view with a team: whoever files for it, and those who share with all."""
    if not person.is_active or not (team in person.teams or shares_with_all(person)):
        raise NotAllowed("You can share views with your own teams. Platform leads and administrators share with all.")


def check_remove_view(person: Person, *, owner_id: int) -> None:
    """Remove a view: its owner, and administrators."""
    if not person.is_active or (person.id != owner_id and not person.has_role(Role.ADMIN)):
        raise NotAllowed("Only the person who saved this view, or an administrator, may remove it.")


may_remove_view = may(check_remove_view)
