"""Who may ask the gate: what Django's own path found out, confirmed again and again, for the path from memory.

The first question with a token goes the long way: host, transport, token, scope and roles are checked there, and its
answer has the headers of this address. A pass is what remains valid for the next question that is asked alike.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from governance.people.api.authentication import USED_EVERY
from governance.people.domain.roles import Person
from governance.people.queries.people import KEPT_MAX
from governance.people.queries.tokens import people_by_token
from governance.site.domain.memory import Recent

Door = tuple[object, ...]
SHAPES = (
    *("HTTP_HOST", "HTTP_ACCEPT", "HTTP_ORIGIN", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_X_FORWARDED_PORT", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme"),
)
"""What of a question, besides its token, may change the headers of the answer or refuse it."""
NEVER_S = float("-inf")
LATEST, ALL_EVERY_S = 100, 10.0
"""The passes used last are confirmed each time, all of them now and then: they are needed when the database is away."""


@dataclass(frozen=True)
class Pass:
    """A token (by its SHA-256) with the person that it acts as, and the headers of an answer.

    It was made at `made_s` and confirmed at `confirmed_s`, both on the steady clock.
    """

    token: str
    person: Person
    expires_at: datetime | None
    headers: tuple[tuple[str, str], ...]
    made_s: float
    confirmed_s: float = NEVER_S

    def is_usable(self, *, now: datetime, now_s: float, is_noted: bool) -> bool:
        """Whether the next question needs not go the long way: to be refused or, where `is_noted`, to note its use."""
        is_valid = self.expires_at is None or now < self.expires_at
        return is_valid and not (is_noted and self.is_old(now_s))

    def is_old(self, now_s: float) -> bool:
        """Whether the use of the token was noted too long ago."""
        return now_s - self.made_s > USED_EVERY.total_seconds()


def door_of(environ: Mapping[str, Any]) -> Door | None:
    """What a question has in common with others that are answered alike; None without a token of its own."""
    words = str(environ.get("HTTP_AUTHORIZATION", ""))
    if not words or environ.get("HTTP_COOKIE"):
        return None
    return (hashlib.sha256(words.encode("latin-1")).digest(), *map(environ.get, SHAPES))


class Passes:
    """The passes of one process. `confirm` asks the database; nothing else does."""

    def __init__(self) -> None:
        self._passes: Recent[Door, Pass] = Recent(most=KEPT_MAX)
        self._all_s = NEVER_S

    def get(self, door: Door) -> Pass | None:
        """The pass of a door."""
        return self._passes.get(door)

    def keep(self, door: Door, found: Pass) -> None:
        """Keep a pass that was made a moment ago. It is of no use before it is confirmed."""
        held = self._passes.get(door)
        if held is None or held.is_old(found.made_s):
            self._passes.keep(door, found)

    def confirm(self, *, now: datetime, now_s: float) -> None:
        """Read tokens and people again, and drop the passes that are not valid any more."""
        passes = self._passes.items()
        if now_s - self._all_s < ALL_EVERY_S:
            passes = passes[-LATEST:]
        else:
            self._all_s = now_s
        found = people_by_token({one.token for _, one in passes}, now=now) if passes else {}
        for door, one in passes:
            person = found.get(one.token)
            self._passes.renew(door, one, replace(one, person=person, confirmed_s=now_s) if person else None)
