"""Compiles a row into a form: its text with gaps, which the values of a block fill."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from examples.history import shifting
from examples.history.levels import Block, Level
from examples.history.reading import RecordedTable, Row, Unique
from examples.history.vocabulary import FoundPlace, Vocabulary
from weighbridge.core.canonical import canonical_json

Values = list[str]
ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
"""How COPY writes what would end a value."""
NEVER_CHANGED = {"integer", "bigint", "numeric", "boolean", "double precision", "bytea"}
TOKENS = {("projections_costprojection", "token")}
DATES = {"moment", "day", "month", "quarter"}


@dataclass(frozen=True)
class Form:
    """A text with gaps: `gaps` are the places of their values."""

    pattern: str
    gaps: tuple[int, ...]

    @cached_property
    def _chosen(self) -> Callable[[Values], Any]:
        return itemgetter(*self.gaps, *[0] * max(0, 2 - len(self.gaps)))

    def filled(self, values: Values) -> str:
        """The text with the values of a block."""
        filled: str = self.pattern % self._chosen(values)[: len(self.gaps)]
        return filled

    @classmethod
    def joined(cls, forms: Sequence["Form"]) -> "Form":
        """One form of many, which is quicker to fill."""
        return cls("".join(form.pattern for form in forms), tuple(gap for form in forms for gap in form.gaps))


@dataclass
class Gaps:
    """All values that forms need: the place of each, and how it is computed for a block."""

    vocabulary: Vocabulary
    tables: dict[str, RecordedTable]
    per_block: int
    _places: dict[tuple[object, ...], int] = field(default_factory=dict)
    _fillers: list[Callable[[Block, Values], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ranks = {name: self._ranks_of(table) for name, table in self.tables.items()}
        self.free("")  # the place of no value

    def values(self, block: Block) -> Values:
        """The values of a block. Computed values come after those that they are computed from."""
        found: Values = []
        for fill in self._fillers:
            found.append(fill(block, found))
        return found

    def free(self, name: str) -> int:
        """The place of a value that is set later."""
        return self._place(("free", name), lambda block, values: "")

    def computed(self, name: str, compute: Callable[[Values], str]) -> int:
        """The place of a value that is computed from earlier values."""
        return self._place(("computed", name), lambda block, values: compute(values))

    def key(self, table: str, key: str) -> int | None:
        """The place of the key of a row; None if the row is there once, and keeps its key."""
        level = self.vocabulary.level_of(table, self.tables[table].rows[key])
        if level == Level.ONCE:
            return None
        rank, count, last = self._ranks[table][key, level]

        def fill(block: Block, values: Values) -> str:
            return str(last + block.copy_of(level) * count + rank)

        return self._place(("key", table, key), fill)

    def end(self, level: Level) -> int:
        """The place of what is written after a value that would not be unique."""

        def fill(block: Block, values: Values) -> str:
            return "" if shifting.is_original(level, block) else f"-{shifting.label(level, block)}"

        return self._place(("end", level), fill)

    def token(self, text: str) -> int:
        """The place of a token of an address."""
        return self._place(("token", text), lambda block, values: shifting.token(text, block))

    def of(self, found: FoundPlace, level: Level) -> int | None:
        """The place of the value of what was found in the text of a row of a level; None if it stays as it is."""
        own = self.vocabulary.level_of_place(found)
        if found.kind == "number":
            return self.key(found.table, found.text)
        if found.kind in {"digest", "name"}:
            if own == Level.ONCE:
                return None
            shift = getattr(shifting, found.kind)
            return self._place((found.kind, found.text), lambda block, values: shift(found.text, own, block))
        if found.kind in {"reference", "action"}:
            return self._place(
                (found.kind, found.text),
                lambda block, values: shifting.reference(found.text, block, self.per_block),
            )
        if level in {Level.ONCE, Level.DIVISION}:
            return None
        if found.kind in {"quarter", "month"}:
            return self._place((found.kind, found.text), lambda block, values: shifting.period(found.text, block))
        shift = getattr(shifting, found.kind)
        is_of_block = level == Level.BLOCK
        return self._place((found.kind, found.text, is_of_block), lambda block, values: shift(found.text, block, level))

    def replace(self, name: tuple[object, ...], place: int) -> None:
        """Let everything that is compiled from now on use another place for a value."""
        self._places[name] = place

    def _place(self, name: tuple[object, ...], fill: Callable[[Block, Values], str]) -> int:
        if name not in self._places:
            self._places[name] = len(self._fillers)
            self._fillers.append(fill)
        return self._places[name]

    def _ranks_of(self, table: RecordedTable) -> dict[tuple[str, Level], tuple[int, int, int]]:
        """For each row: its place among those of its level, how many these are, and the key before the first copy."""
        by_level: dict[Level, list[str]] = {}
        for key, row in table.rows.items():
            by_level.setdefault(self.vocabulary.level_of(table.name, row), []).append(key)
        last = max(map(int, table.rows), default=0) + 1
        found = {}
        for place, (level, keys) in enumerate(sorted(by_level.items())):
            for rank, key in enumerate(keys):
                found[key, level] = (rank, len(keys), last + place * 1_000_000_000)
        return found


def text_form(text: str, level: Level, gaps: Gaps, *, is_copied: bool = True) -> Form:
    """The form of a text of a row of a level; with `is_copied` it is escaped for COPY."""
    pattern, chosen, end = [], [], 0
    for found in gaps.vocabulary.find(text):
        place = gaps.of(found, level)
        if place is not None:
            pattern.append(_literal(text[end : found.start], is_copied) + "%s")
            chosen.append(place)
            end = found.end
    pattern.append(_literal(text[end:], is_copied))
    return Form("".join(pattern), tuple(chosen))


def document_form(document: object, level: Level, gaps: Gaps) -> Form:
    """The form of the canonical JSON of a document."""
    return text_form(canonical_json(document), level, gaps, is_copied=False)


def row_form(table: RecordedTable, row: Row, gaps: Gaps, special: dict[str, Form] | None = None) -> Form:
    """The form of a line of COPY."""
    level = gaps.vocabulary.level_of(table.name, row)
    cells = {column: _cell(table, column, text, level, gaps) for column, text in row.items()} | (special or {})
    own = set(special or {})
    for unique in table.unique:
        if level > Level.ONCE and not (unique.columns & own or _is_unique(table, unique, row, level, gaps)):
            last = max(column for column in unique.columns if table.types[column] in {"text", "character varying"})
            cells[last] = Form(cells[last].pattern + "%s", (*cells[last].gaps, gaps.end(level)))
    return Form(
        "\t".join(cells[column].pattern for column in table.types) + "\n",
        tuple(gap for column in table.types for gap in cells[column].gaps),
    )


def _cell(table: RecordedTable, column: str, text: str | None, level: Level, gaps: Gaps) -> Form:
    if text is None:
        return Form("\\N", ())
    target = table.name if column == "id" else table.keys.get(column)
    if target in gaps.tables:
        place = gaps.key(target, text)
        return Form(text, ()) if place is None else Form("%s", (place,))
    if (table.name, column) in TOKENS:
        return Form("%s", (gaps.token(text),))
    if table.types[column] in NEVER_CHANGED:
        return Form(_literal(text, is_copied=True), ())
    return text_form(text, level, gaps)


def _is_unique(table: RecordedTable, unique: Unique, row: Row, level: Level, gaps: Gaps) -> bool:
    """Whether these values differ between all copies of a level."""
    written = [column for column in unique.columns if row[column] is not None]
    if str(row["id"]) not in unique.rows or (len(written) < len(unique.columns) and not unique.of_nulls):
        return True
    found = {own for column in written for own in _levels_in(table, column, row, level, gaps)}
    return level in found or (level == Level.BRANCH and {Level.DIVISION, Level.YEAR} <= found)


def _levels_in(table: RecordedTable, column: str, row: Row, level: Level, gaps: Gaps) -> set[Level]:
    """The levels whose copies differ in the value of a column."""
    text, target = str(row[column]), table.keys.get(column)
    if target in gaps.tables:
        return {gaps.vocabulary.level_of(target, gaps.tables[target].rows[text])}
    if (table.name, column) in TOKENS:
        return {Level.BLOCK}
    if table.types[column] in NEVER_CHANGED:
        return set()
    places = gaps.vocabulary.find(text)
    dated = {Level.YEAR} if level < Level.BLOCK and any(place.kind in DATES for place in places) else set()
    return dated | {gaps.vocabulary.level_of_place(place) for place in places if place.kind not in DATES}


def _literal(text: str, is_copied: bool) -> str:
    return (text.translate(ESCAPES) if is_copied else text).replace("%", "%%")


def parsed(text: str | None) -> Any:
    """The document of a JSON column."""
    return None if text is None else json.loads(text)
