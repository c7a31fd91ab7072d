"""An entry of the feed: the standing of one artifact in one environment from its time on. It names no person or team.

The latest entry of an artifact and environment is in force.
"""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime

from weighbridge.client.feed import merkle
from weighbridge.core.canonical import is_digest, plain
from weighbridge.core.errors import Invalid

TEXT_CHARS_MAX = 40


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Positions count from 1; times are texts in ISO 8601 with a zone.

    `allowed_until` is the end of the permission without any further act; None for a standing that denies.
    """

    position: int
    digest: str
    environment: str
    standing: str
    allowed_until: str | None
    at: str

    @property
    def leaf(self) -> bytes:
        """The leaf hash: of the canonical JSON of the entry."""
        document = {name: getattr(self, name) for name in FIELDS}
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return merkle.leaf_hash(text.encode())

    def allows(self, now: datetime) -> bool:
        """Whether the artifact may run at `now` if this is the latest entry."""
        return self.allowed_until is not None and now < instant(self.allowed_until)


FIELDS = tuple(field.name for field in dataclasses.fields(Entry))


def read_entry(document: object) -> Entry:
    """Return the entry of a JSON document; raise Invalid."""
    match document:
        case {
            "position": int(position),
            "digest": str(digest),
            "environment": str(environment),
            "standing": str(standing),
            "allowed_until": (str() | None) as allowed_until,
            "at": str(at),
        } if isinstance(document, Mapping) and len(document) == len(FIELDS):
            entry = Entry(position, digest, environment, standing, allowed_until, at)
        case _:
            raise _damaged("an entry does not have the fields of an entry")
    if isinstance(position, bool) or position < 1:
        raise _damaged(f"{position} is no position")
    if not (is_digest(digest) and _is_word(environment) and _is_word(standing)):
        raise _damaged(f"the digest, the environment or the standing of entry {position}")
    instant(at)
    if allowed_until is not None:
        instant(allowed_until)
    return entry


def _is_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and 0 < len(text) <= TEXT_CHARS_MAX


def instant(text: object) -> datetime:
    """Return the time with a zone; raise Invalid."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise _damaged("it has a time without a zone, or no time")
    return moment


def instant_text(moment: datetime) -> str:
    """Return the text of a time, as entries and statements write it."""
    return str(plain(moment))


def _damaged(what: str) -> Invalid:
    return Invalid(f"The feed is damaged: {what}.", code="feed_damaged")
