"""Whether a notification still concerns its person when a mail or a page is about to show it.

Access can be lost after the event, and what was asked for can be done. The subjects that tell of their objects register
how these are found here, because this one knows none of them.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from governance.notifications.models import Notification
from governance.people.domain.roles import Person
from governance.site.domain.numbers import whole_number
from weighbridge.core.errors import NotFound, Refused

Find = Callable[[str, Person], object]
Waits = Callable[[Notification, Person, datetime], bool]
FINDS: dict[str, Find] = {}
WAITS_FOR: dict[str, Waits] = {}


def found_at(prefix: str, *, find: Find) -> None:
    """Register how the object at `/prefix/REST/` is found by REST. It raises Refused for who may not see it."""
    FINDS[prefix] = find


def waits_while(kind: str, *, waits: Waits) -> None:
    """Register whether a notification of this kind still asks its person for something at a time."""
    WAITS_FOR[kind] = waits


def readable(rows: Iterable[Notification], *, person: Person) -> list[Notification]:
    """The notifications whose objects the person may see now."""

    @cache
    def may_see(path: str) -> bool:
        prefix, _, rest = path.strip("/").partition("/")
        if prefix not in FINDS:  # a page that everybody sees
            return True
        try:
            FINDS[prefix](rest, person)
        except Refused:
            return False
        return True

    return [row for row in rows if may_see(row.path)]


def concerning(rows: Iterable[Notification], *, person: Person, now: datetime) -> list[Notification]:
    """The readable notifications that do not ask for something that is done."""
    seen = readable(rows, person=person)
    return [row for row in seen if row.kind not in WAITS_FOR or WAITS_FOR[row.kind](row, person, now)]


def number_in(rest: str) -> int:
    """The number in the rest of an address. Raises NotFound if it is none."""
    number = whole_number(rest)
    if number is None:
        raise NotFound("There is no such page.")
    return number
