"""The audit trail and the feed of all copies: one unbroken chain each, in the order of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from examples.history.forms import Form, Gaps, Values, document_form, parsed, row_form, text_form
from examples.history.levels import Level
from examples.history.reading import RecordedTable, Row
from governance.audit.domain import chain
from governance.audit.queries.trail import HASHED
from weighbridge.client.feed import merkle
from weighbridge.client.feed.entries import Entry, instant_text
from weighbridge.core.canonical import DIGEST_PREFIX

EVENTS, ENTRIES = "audit_auditevent", "feed_feedentry"
LEFT_OUT = {"audit.checkpointed"}
"""Events of the recording that are not copied: a checkpoint signs the trail of the recording."""


@dataclass(frozen=True)
class ChainedRow:
    """A row of the trail or of the feed, and the values of its copy."""

    at: str
    number: int
    values: Values
    form: "EventForm | EntryForm"


@dataclass(frozen=True)
class EventForm:
    """The row of an event, and the canonical JSON that its hash covers."""

    at: Form
    row: Form
    content: Form


@dataclass(frozen=True)
class EntryForm:
    """The row of an entry of the feed, and what its leaf covers."""

    at: Form
    row: Form
    digest: Form
    until: Form | None
    environment: str
    standing: str
    position: int
    root: int


@dataclass
class Chains:
    """Appends rows to the trail and the feed, and remembers where both end."""

    gaps: Gaps
    tables: dict[str, RecordedTable]
    events: list[ChainedRow] = field(default_factory=list)
    entries: list[ChainedRow] = field(default_factory=list)
    position: int = 0
    size: int = 0
    head: str = chain.GENESIS
    _nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        free = self.gaps.free
        self._number, self._previous, self._hash = free("position"), free("previous hash"), free("hash")
        self._tree = free("nodes")
        for key, row in self.tables[ENTRIES].rows.items():
            self.gaps.replace(("key", ENTRIES, key), free(f"entry {key}"))
            self.gaps.replace(("digest", str(row["root"]).removeprefix(DIGEST_PREFIX)), free(f"root {key}"))

    def forms(self, tables: dict[str, RecordedTable], level: Level) -> list["EventForm | EntryForm"]:
        """The forms of all events and entries of a level."""
        of_level = self.gaps.vocabulary.level_of
        events = [row for row in tables[EVENTS].rows.values() if row["kind"] not in LEFT_OUT]
        return [
            *(self._event(row, level) for row in events if of_level(EVENTS, row) == level),
            *(self._entry(row, level) for row in tables[ENTRIES].rows.values() if of_level(ENTRIES, row) == level),
        ]

    def add(self, forms: Iterable["EventForm | EntryForm"], values: Values) -> None:
        """Remember the rows of a copy until `write`."""
        for number, form in enumerate(forms):
            where = self.events if isinstance(form, EventForm) else self.entries
            where.append(ChainedRow(form.at.filled(values), number, values, form))

    def write(self, *, before: str) -> None:
        """Write all rows of before an instant, the feed first: events name positions of the feed."""
        for name, links, line in ((ENTRIES, self.entries, self._entry_line), (EVENTS, self.events, self._event_line)):
            links.sort(key=lambda link: (link.at, link.number))
            due = [link for link in links if link.at < before]
            columns = ", ".join(f'"{column}"' for column in self.tables[name].types)
            with connection.cursor() as cursor, cursor.cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy:
                for part in _in_parts(line(link) for link in due):
                    copy.write(part)
            del links[: len(due)]

    def _event_line(self, link: ChainedRow) -> str:
        values, form = link.values, link.form
        assert isinstance(form, EventForm)  # noqa: S101 -- for the types
        self.position += 1
        values[self._number], values[self._previous] = str(self.position), self.head
        self.head = chain.link_of_bytes(self.head, form.content.filled(values).encode())
        values[self._hash] = self.head
        return form.row.filled(values)

    def _entry_line(self, link: ChainedRow) -> str:
        values, form = link.values, link.form
        assert isinstance(form, EntryForm)  # noqa: S101 -- for the types
        until = None if form.until is None else _instant(form.until.filled(values))
        entry = Entry(
            position=self.size + 1,
            digest=form.digest.filled(values),
            environment=form.environment,
            standing=form.standing,
            allowed_until=until,
            at=_instant(link.at),
        )
        complete, root = merkle.appended(self.size, entry.leaf, lambda level, index: self._nodes[level, index])
        for level, node in enumerate(complete):
            self._nodes[level, self.size >> level] = node
        self.size += 1
        values[form.position], values[form.root] = str(self.size), root.hex()
        values[self._tree] = "\\\\x" + b"".join(complete).hex()
        return form.row.filled(values)

    def _event(self, row: Row, level: Level) -> EventForm:
        gaps = self.gaps
        at = text_form(str(row["at"]), level, gaps)
        actor = gaps.key("auth_user", row["actor_id"]) if row["actor_id"] else None
        number = Form("%s", (self._number,))
        own = {"id": number, "position": number, "hash": Form("%s", (self._hash,))}
        own["previous_hash"] = Form("%s", (self._previous,))
        content: dict[str, Form] = {
            name: document_form(row[name], level, gaps) for name in HASHED if name not in {"position", "details"}
        }
        content["details"] = document_form(parsed(row["details"]), level, gaps)
        content["at"] = document_form(datetime.fromisoformat(str(row["at"])).isoformat(), level, gaps)
        content["position"] = number
        if actor is not None:
            own["actor_id"], content["actor_id"] = Form("%s", (actor,)), Form('"%s"', (actor,))
        return EventForm(at, row_form(self.tables[EVENTS], row, gaps, own), Form.joined(list(_object(content))))

    def _entry(self, row: Row, level: Level) -> EntryForm:
        gaps, key = self.gaps, str(row["id"])
        position, root = gaps.free(f"entry {key}"), gaps.free(f"root {key}")
        number = Form("%s", (position,))
        own = {
            "id": number,
            "position": number,
            "nodes": Form("%s", (self._tree,)),
            "root": Form(f"{DIGEST_PREFIX}%s", (root,)),
        }
        until = text_form(row["allowed_until"], level, gaps) if row["allowed_until"] else None
        return EntryForm(
            at=text_form(str(row["at"]), level, gaps),
            row=row_form(self.tables[ENTRIES], row, gaps, own),
            digest=text_form(str(row["digest"]), level, gaps),
            until=until,
            environment=str(row["environment"]),
            standing=str(row["standing"]),
            position=position,
            root=root,
        )


def _object(content: dict[str, Form]) -> Iterator[Form]:
    for place, name in enumerate(sorted(content)):
        yield Form(f'{"," if place else "{"}"{name}":', ())
        yield content[name]
    yield Form("}", ())


def _instant(text: str) -> str:
    return instant_text(datetime.fromisoformat(text))


def _in_parts(lines: Iterable[str]) -> Iterator[Any]:
    part: list[str] = []
    for line in lines:
        part.append(line)
        if len(part) == 1000:
            yield "".join(part)
            part = []
    yield "".join(part)
