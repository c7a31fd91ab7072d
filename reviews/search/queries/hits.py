"""What words find: pages, steps, and everything with a name, as far as the person may see it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import BigIntegerField, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse

from governance.inventory.queries import search_tags
from governance.people.domain.roles import Person
from governance.search_index.queries import found
from reviews.search.domain import HitGroup, SearchHit
from reviews.search.queries.kinds import SHOWN, Entered, Few, SearchKind
from reviews.search.queries.names import KINDS
from reviews.search.queries.pages import pages, steps

LISTS = {"Requests": "reviews:list", "Models": "governance:models"}
"""The lists that can be filtered by the words."""


def groups_of(words: str, *, person: Person, sees_tables: bool) -> tuple[HitGroup, ...]:
    """The hits of each kind, at most six each, without empty kinds. `sees_tables`: see `may_see_tables`.

    It takes at most four queries, whatever is found.
    """
    words = words.strip()
    if not words:
        return ()
    own = (
        HitGroup("Pages", tuple(pages(words, person=person, sees_tables=sees_tables))),
        HitGroup("Steps", tuple(steps(words, person=person))),
    )
    return tuple(group for group in (*own, *_named(words, person)) if group.hits)


def _named(words: str, person: Person) -> Iterator[HitGroup]:
    hits: dict[str, list[SearchHit]] = defaultdict(list)
    for kind, *shown in _shown(words, person):
        hits[kind.group].append(kind.hit(*shown))
    for title in dict.fromkeys(kind.group for kind in KINDS):
        more = f"{reverse(LISTS[title])}?{urlencode({'q': words})}" if title in LISTS else ""
        yield HitGroup(title, tuple(hits[title]), more)


def _shown(words: str, person: Person) -> Iterator[tuple[SearchKind, str, str, str]]:
    """What the hits show, in the order of the kinds, and of the hits in a kind."""
    tags = search_tags(person)
    entered = [kind for kind in KINDS if isinstance(kind, Entered)]
    searches = [kind.search(words, person=person, tags=tags) for kind in entered]
    ids: dict[SearchKind, list[int]] = dict(zip(entered, found(searches), strict=True))
    parts = [_rows(kind, words, person, ids.get(kind, [])) for kind in KINDS if isinstance(kind, Few) or ids[kind]]
    places = {(kind, pk): place for kind in entered for place, pk in enumerate(ids[kind])}
    rows = [(KINDS[number], pk, shown) for number, pk, *shown in parts[0].union(*parts[1:], all=True)]
    for kind, _, shown in sorted(rows, key=lambda row: (KINDS.index(row[0]), places.get(row[:2], 0))):
        yield kind, *shown


def _rows(kind: SearchKind, words: str, person: Person, ids: Sequence[int]) -> QuerySet[Any]:
    rows = kind.rows(person)
    rows = kind.matching(rows, words) if isinstance(kind, Few) else rows.filter(pk__in=ids).order_by("-pk")
    number = Value(KINDS.index(kind), output_field=BigIntegerField())
    return rows.values_list(number, Cast("pk", BigIntegerField()), kind.title, kind.note, kind.key)[:SHOWN]
