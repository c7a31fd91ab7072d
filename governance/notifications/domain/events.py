"""What happened, and who is told."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """Something that people are told of once: `key` is unique for each person and webhook.

    `reference` names the object (`MRR-2026-0001`) and `path` its page; `sentence` says what happened. After `until`, it
    is not worth a message any more. A meeting `meets_at` a time. The webhooks of `team`, by slug, get the event too.
    """

    kind: str
    key: str
    reference: str
    path: str
    sentence: str
    until: datetime | None = None
    meets_at: datetime | None = None
    team: str = ""


@dataclass(frozen=True)
class Addressee:
    """Who is told, by user id; `in_place_of_id` is the absent person whose deputy they are."""

    person_id: int
    in_place_of_id: int | None = None
