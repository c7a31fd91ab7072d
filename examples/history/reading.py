"""Reads the rows of the recording as text, with the keys that connect them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

Row = dict[str, str | None]
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
KEYS = """
SELECT source.relname, attname, target.relname FROM pg_constraint
JOIN pg_class source ON source.oid = conrelid JOIN pg_class target ON target.oid = confrelid
JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND NOT source.relispartition AND source.relnamespace = 'public'::regnamespace
"""
UNIQUE = """
SELECT relname, array_agg(attname::text), indnullsnotdistinct, pg_get_expr(indpred, indrelid) FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisunique AND NOT indisprimary AND NOT relispartition AND relnamespace = 'public'::regnamespace
GROUP BY relname, indexrelid, indrelid, indpred, indnullsnotdistinct
"""
COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
WITHOUT_KEYS = {"bills_spendline": {"slice_id": "bills_billslice", "rule_id": "bills_allocationrule"}}
"""Partitioned tables have no foreign keys."""


@dataclass(frozen=True)
class Unique:
    """Columns whose values together are unique; with `of_nulls`, NULL equals NULL.

    `rows` are the keys of the rows that are meant: an index can have a condition.
    """

    columns: frozenset[str]
    of_nulls: bool
    rows: frozenset[str]


@dataclass
class RecordedTable:
    """A table of the recording. `keys` are its foreign keys, `types` its columns; rows are sorted by their key."""

    name: str
    types: dict[str, str]
    keys: dict[str, str]
    unique: list[Unique]
    rows: dict[str, Row] = field(default_factory=dict)


def tables(*, without: Collection[str]) -> dict[str, RecordedTable]:
    """All tables that have an `id`, with all rows, but for those named."""
    with connection.cursor() as cursor:
        keys, unique = defaultdict[str, dict[str, str]](dict), defaultdict[str, list[tuple[Any, ...]]](list)
        cursor.execute(KEYS)
        for source, column, target in cursor.fetchall():
            keys[source][column] = target
        cursor.execute(UNIQUE)
        for name, *index in cursor.fetchall():
            unique[name].append(tuple(index))
        cursor.execute(TABLES)
        found = {}
        for (name,) in cursor.fetchall():
            cursor.execute(COLUMNS, [name])
            types = dict(cursor.fetchall())
            if "id" in types and name not in without:
                indexes = [Unique(frozenset(own), nulls, _keys(name, where)) for own, nulls, where in unique[name]]
                found[name] = RecordedTable(name, types, keys[name] | WITHOUT_KEYS.get(name, {}), indexes)
    for table in found.values():
        table.rows = rows_of(table)
    return found


def _keys(table: str, condition: str | None) -> frozenset[str]:
    """The keys of the rows for which the condition in SQL holds; None is for all."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT id FROM "{table}" WHERE {condition or True}')  # noqa: S608 -- texts of the catalog
        return frozenset(str(key) for (key,) in cursor.fetchall())


def rows_of(table: RecordedTable) -> dict[str, Row]:
    """The rows of a table now, by their key, every value as PostgreSQL writes it."""
    chosen = ", ".join(f'"{column}"::text' for column in table.types)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {chosen} FROM "{table.name}" ORDER BY id')  # noqa: S608 -- names of the catalog
        found = [dict(zip(table.types, row, strict=True)) for row in cursor.fetchall()]
    return {str(row["id"]): row for row in found}
