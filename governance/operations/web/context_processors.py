"""Context for all pages: the current person, the navigation, and whether work is delayed."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from governance.jobs.queries import is_delayed
from governance.notifications.queries.notices import unread_count
from governance.operations.web.places import menu_of
from governance.people.domain.roles import Role
from governance.people.rules import may_operate, may_read_changes, sees_everything
from governance.people.web.current_user import person_of


def page(request: HttpRequest) -> dict[str, Any]:
    """The person behind the session, and their navigation entries."""
    if not hasattr(request, "user") or not request.user.is_authenticated:
        refused = ("may_operate", "may_read_changes", "sees_all", "is_delayed")
        nobody = dict.fromkeys(refused, False)
        return {"person": None, **nobody}
    person = person_of(request)
    operates = may_operate(person)
    is_told = operates or Role.REQUESTER in person.roles
    return {
        "person": person,
        "may_operate": operates,
        "may_read_changes": may_read_changes(person),
        "menu": partial(menu_of, person=person, path=request.path),
        "unread": unread_count(person.id),
        "sees_all": sees_everything(person),
        "is_delayed": is_told and is_delayed(now=timezone.now()),
    }
