"""Walks that are taken once and remembered: a factory that a test calls in a state of the database in which it was
called before, with the same arguments, puts down the rows and the files that it left then, and returns copies.

What is remembered was really walked, through the public actions, a moment before and in this process. It is put down
only inside the transaction of one test, and only if every write of that transaction came from remembered factories:
after any other write, with a function replaced, or with an argument that is no plain value, the factory walks again.
A factory that a counted test calls walks again too, unless it was counted then: coverage stays what it was.
"""

import copy
import functools
import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
from django.db import connection

from governance.search_index.queries import ENTER_NOW
from tests.described import NotPlainError, described, overridden
from tests.marking import RESTING

P, R = ParamSpec("P"), TypeVar("R")
KEPT = 400
"""How many walks a process remembers."""
STATE = """SELECT relname, relfilenode, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
+ pg_stat_get_xact_tuples_deleted(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
COLUMNS = """SELECT string_agg(format('%%I', attname), ',' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""
FORWARD = """SELECT setval('{name}', greatest((SELECT max("{column}") FROM "{table}"),
pg_sequence_last_value('{name}')));"""

State = dict[str, tuple[int, int]]
"""Table -> the number of its file, which another has after the table was emptied, and how many writes this
transaction made to it."""


@dataclass(frozen=True)
class Walked:
    """What a walk left: the rows of each table it wrote to, the files, and what it returned."""

    rows: dict[str, bytes]
    files: dict[str, bytes]
    result: Any
    is_counted: bool
    generation: str


@dataclass
class Place:
    """Where a test is: the remembered walks that led there, and its database then. A path of None leads anywhere.

    The generation says which walks they were: a walk that is taken again leaves rows with other IDs, to which what was
    remembered after the earlier one does not fit.
    """

    folder: Path
    patches: pytest.MonkeyPatch
    patched_before: int
    block: object = None
    path: str | None = None
    generation: str = ""
    state: State = field(default_factory=dict)
    depth: int = 0

    @property
    def is_patched(self) -> bool:
        """Whether the test replaced something."""
        return len(self.patches._setattr) > self.patched_before or bool(self.patches._setitem)

    def find(self) -> bool:
        """Whether it is known how the database became what it is."""
        blocks = connection.atomic_blocks if connection.in_atomic_block else []
        if not blocks or not all(block._from_testcase for block in blocks) or self.is_patched:
            return False
        state, block = _state(), blocks[-1]
        if block is not self.block:
            self.block, self.generation = block, ""
            self.path = None if _has_written() else _digest(sorted((t, n) for t, (n, _) in state.items()))
        elif state != self.state:
            self.path = None
        self.state = state
        return self.path is not None


WALKS: OrderedDict[str, Walked] = OrderedDict()
"""The walks by their paths and by the generation of the walks before them."""
TAKEN = itertools.count()
"""Numbers the walks that are taken."""
PARTS: set[str] = set()
"""The paths of walks that were taken once, as a part of another."""
HERE: list[Place] = []
"""The place of the present test."""


def begin(folder: Path, patches: pytest.MonkeyPatch) -> None:
    """A test begins, whose artifacts lie in the folder."""
    HERE[:] = [Place(folder, patches, len(patches._setattr))]


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Remember what a factory leaves. It may change rows and artifacts, but none of its arguments."""

    @functools.wraps(function)
    def factory(*args: P.args, **kwargs: P.kwargs) -> R:
        if not HERE or not HERE[0].find():
            return function(*args, **kwargs)
        try:
            asked = described((args, kwargs))
        except NotPlainError:
            return function(*args, **kwargs)
        place = HERE[0]
        path = _digest(place.path, function.__module__, function.__qualname__, asked, overridden(place.folder))
        key, is_counted = _digest(place.generation, path), not RESTING
        walked = WALKS.get(key)
        if walked is not None and (walked.is_counted or not is_counted):
            WALKS.move_to_end(key)
            result, generation = _put_down(walked, place), walked.generation
        else:
            generation = _digest(key, next(TAKEN))
            walk = functools.partial(function, *args, **kwargs)
            result = _walk(place, (path, key, generation), walk, is_counted=is_counted)
            assert described((args, kwargs)) == asked, f"{function.__qualname__} changed what it was given"
        place.path, place.generation, place.state = path, generation, _state()
        return result

    return factory


def _walk(place: Place, names: tuple[str, str, str], walk: Callable[[], R], *, is_counted: bool) -> R:
    """Take it. What is a part of another walk is kept the second time only."""
    path, key, generation = names
    before, is_wanted = place.state, place.depth == 0 or path in PARTS
    place.depth += 1
    try:
        result = walk()
        with connection.cursor() as cursor:
            cursor.execute(ENTER_NOW)  # or the entries of the search would be made after they are remembered
    finally:
        place.depth -= 1
    PARTS.add(path)
    if is_wanted:
        touched = sorted(table for table, found in _state().items() if found != before.get(table))
        files = {str(one.relative_to(place.folder)): one.read_bytes() for one in _files(place.folder)}
        rows = {table: _rows(table) for table in touched}
        WALKS[key] = Walked(rows, files, copy.deepcopy(result), is_counted, generation)
        WALKS.move_to_end(key)
    while len(WALKS) > KEPT:
        WALKS.popitem(last=False)
    return result


def _put_down(walked: Walked, place: Place) -> Any:
    """Make the database and the folder what they were after the walk, and return what it returned."""
    emptied = "".join(f'DELETE FROM "{table}";' for table in walked.rows)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL session_replication_role = replica; {emptied}")
        for table, rows in walked.rows.items():
            if rows:
                with cursor.copy(f'COPY "{table}" ({_columns(table)}) FROM STDIN') as copied:
                    copied.write(rows)
        cursor.execute("SET LOCAL session_replication_role = origin;" + "".join(map(_forward, walked.rows)))
    for name, content in walked.files.items():
        path = place.folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return copy.deepcopy(walked.result)


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / "artifacts").rglob("*") if path.is_file()]


def _rows(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({_columns(table)}) TO STDOUT') as copied:
        return b"".join(bytes(block) for block in copied)


@functools.cache
def _columns(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [f'"{table}"'])
        return str(cursor.fetchone()[0])


@functools.cache
def _forward(table: str) -> str:
    """The statements that move the numbering of the table past its rows: a test may have set it back, which outlives
    the transaction of that test."""
    with connection.cursor() as cursor:
        owned = connection.introspection.get_sequences(cursor, table)
    return "".join(FORWARD.format(**each) for each in owned)


def _state() -> State:
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return {table: (file, writes) for table, file, writes in cursor.fetchall()}


def _has_written() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return bool(cursor.fetchone()[0])


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
