"""What each kind of page costs, counted and not timed: queries, rows that the database reads, bytes of the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import connection
from django.urls import resolve

from tests.promises.test_06_links import reached

READ = """
SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)
     + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)
"""
NO_FILE = 404
"""A copy has no artifacts of its own, so some of its files cannot be read."""


@dataclass(frozen=True)
class Cost:
    """What a page cost: the queries, the rows of tables and indexes that were read, the bytes that were sent."""

    queries: int
    rows: int
    size: int

    def or_more(self, other: "Cost") -> "Cost":
        """The most of both, each for itself."""
        return Cost(max(self.queries, other.queries), max(self.rows, other.rows), max(self.size, other.size))


class Meter:
    """Counts queries while it wraps the connection, and asks the server for the rows that were read."""

    def __init__(self) -> None:
        self.queries, self.rows = 0, 0

    def __call__(self, execute: Callable[..., Any], *asked: Any) -> Any:
        self.queries += 1
        return execute(*asked)

    def taken(self, size: int) -> Cost:
        """The cost since the last time."""
        queries, before = self.queries, self.rows
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(READ)
            self.rows = int(cursor.fetchone()[0])
        self.queries = 0
        return Cost(queries, self.rows - before, size)


def costs_of(person: str) -> dict[str, Cost]:
    """The most that a page of each kind costs this person, over all pages that they can reach by links."""
    found: dict[str, Cost] = {}
    meter = Meter()
    with connection.execute_wrapper(meter):
        meter.taken(0)
        for _, path, status, size in reached(User.objects.get(username=person)):
            cost, kind = meter.taken(size), resolve(urlsplit(path).path).view_name
            if status != NO_FILE:
                assert status < NO_FILE, path
                found[kind] = found.get(kind, cost).or_more(cost)
    return found


def grown(small: Mapping[str, Cost], large: Mapping[str, Cost], *, rows: float, size: float) -> dict[str, str]:
    """The kinds of page that cost more in the larger database: any more queries, or so many times the rows or bytes."""
    found = {}
    for kind in small.keys() & large.keys():
        before, after = small[kind], large[kind]
        told = [
            f"{name} {old} -> {new}"
            for name, old, new, factor in (
                ("queries", before.queries, after.queries, 1),
                ("rows", before.rows, after.rows, rows),
                ("bytes", before.size, after.size, size),
            )
            if new > old * factor
        ]
        if told:
            found[kind] = ", ".join(told)
    return found
