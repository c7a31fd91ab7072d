"""Many rows of a table at once, made from one of its rows, for tests of what a page costs when there are many."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Model


def multiply(row: Model, *, count: int, **columns: str) -> None:
    """Insert `count` copies of the row; `columns` are SQL expressions of the number `n` of the copy, from 1."""
    table = row._meta.db_table
    names = [each.column for each in row._meta.local_concrete_fields if not each.primary_key]
    values = [columns.get(name, f'"{name}"') for name in names]
    listed = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({listed}) SELECT {', '.join(values)} FROM {table}, generate_series(1, %s) AS n"
            " WHERE id = %s",
            [count, row.pk],
        )


def analyze() -> None:
    """Tell the planner how many rows there are, as autovacuum does in operation.

    Only of our tables: all databases share some of the others, and their locks would be held until the test ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'")
        (tables,) = cursor.fetchone()
        cursor.execute(f"ANALYZE {tables}")


@contextmanager
def search_entered_at_the_end() -> Iterator[None]:
    """Make the search entries of all rows at the end of the block, which is faster than one by one."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("SELECT search_enter_all()")


@dataclass
class Asked:
    """The SELECT statements of a block, and the most rows that one part of a plan read."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(("SELECT", "WITH", "(SELECT")):
            self.statements.append((sql, params))
        return execute(sql, params, many, context)

    def rows_read(self) -> dict[str, int]:
        """Rows that each statement read, those that it removed again included: the most of one part of its plan."""
        return {sql: max(_reads(plan_of(sql, params))) for sql, params in self.statements}

    def rows_answered(self) -> int:
        """How many rows all statements answer."""
        with connection.cursor() as cursor:
            return sum(len(cursor.execute(sql, params).fetchall()) for sql, params in self.statements)

    def scanned(self) -> set[str]:
        """The tables that a statement read from beginning to end."""
        return {table for sql, params in self.statements for table in _scans(plan_of(sql, params))}


def plan_of(sql: str, params: Any) -> dict[str, Any]:
    """The plan of the statement with what it read, from running it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        [(plan,)] = cursor.fetchall()
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _reads(plan: dict[str, Any]) -> Iterator[float]:
    for node in _nodes(plan):
        kept = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        yield (kept + node.get("Rows Removed by Index Recheck", 0)) * node["Actual Loops"]


def _scans(plan: dict[str, Any]) -> Iterator[str]:
    return (node["Relation Name"] for node in _nodes(plan) if node["Node Type"] == "Seq Scan")


@contextmanager
def asked() -> Iterator[Asked]:
    """What the connection is asked in the block."""
    statements = Asked()
    with connection.execute_wrapper(statements):
        yield statements
