"""A kind of thing that words find: which rows a person may see, and how a hit shows one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim

from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from governance.search_index.queries import EVERYBODYS, WantedEntries
from reviews.search.domain import SearchHit

SHOWN = 6
"""How many hits of a kind are shown."""


def text_of(*parts: str | Combinable) -> Combinable:
    """The parts as one text: a name of a field, or an expression."""
    return Concat(Value(""), *(Cast(part, TextField()) for part in parts), output_field=TextField())


PK, NOTHING = text_of("pk"), text_of(Value(""))


def name_of_user(start: str = "") -> Combinable:
    """`governance.people.queries.people.name_of` as an expression; `start` leads to the user, like "requester__"."""
    full = Trim(Concat(f"{start}first_name", Value(" "), f"{start}last_name"))
    return Coalesce(NullIf(full, Value("")), f"{start}username")


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchKind:
    """A kind of thing: `rows` are those that a person may see, of which a hit shows title, note and address.

    Title, note and key of a row are expressions; `path` makes the address from the key, `words_of` the words of a note.
    """

    group: str
    rows: Callable[[Person], QuerySet[Any]]
    title: Combinable
    path: Callable[[str], str]
    key: Combinable = PK
    note: Combinable = NOTHING
    words_of: Callable[[str], str] = str

    def hit(self, title: str, note: str, key: str) -> SearchHit:
        """The hit for the values of the expressions."""
        return SearchHit(title, self.path(key), self.words_of(note))


@dataclass(frozen=True, kw_only=True, eq=False)
class Few(SearchKind):
    """A kind with few rows, which are compared one by one: those that `matching` selects are found, in its order."""

    matching: Callable[[QuerySet[Any], str], QuerySet[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entered(SearchKind):
    """A kind whose rows have search entries. `wanted` makes the search from the words and the tags of the person.

    A person for whom `sees_all` is true may see each of them.
    """

    wanted: Callable[[str, Sequence[str]], WantedEntries]
    sees_all: Callable[[Person], bool] = sees_everything

    def search(self, words: str, *, person: Person, tags: Sequence[str]) -> WantedEntries:
        """What is looked for."""
        return self.wanted(words, (EVERYBODYS,) if self.sees_all(person) else tags)


def entries(kind: str, *, most: int = SHOWN) -> Callable[[str, Sequence[str]], WantedEntries]:
    """The newest entries of a kind with the words in them."""
    return lambda words, audience: WantedEntries(kind=kind, audience=audience, phrases=(words,), most=most)
