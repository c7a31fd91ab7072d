"""How many queries each kind of page asks on the recorded data, beside the table that is committed: none may rise.

A page that asks for less than its line is no fault: what an earlier test left in a cache is not asked for again.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.urls import resolve

TABLE = Path(__file__).with_name("page_queries.json")
SWITCH = "WEIGHBRIDGE_GOLDEN"
Opened = tuple[str, str, int, int]


class Counter:
    """Counts the queries of the connection while it is in place."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *asked: Any) -> Any:
        self.count += 1
        return execute(*asked)

    def taken(self) -> int:
        """The queries since the last time."""
        count, self.count = self.count, 0
        return count


def counted(pages: Iterable[Opened], found: dict[str, int]) -> Iterator[Opened]:
    """The pages as they are opened; `found` gets the most queries that a page of each kind asked."""
    counter = Counter()
    with connection.execute_wrapper(counter):
        for page in pages:
            count, kind = counter.taken(), resolve(urlsplit(page[1]).path).view_name
            if page[3]:
                found[kind] = max(found.get(kind, 0), count)
            yield page


def risen(found: Mapping[str, int]) -> dict[str, str]:
    """The kinds of page that ask more than the table says, or are not in it. With WEIGHBRIDGE_GOLDEN=write the table is
    written first.
    """
    if os.environ.get(SWITCH) == "write":
        TABLE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        kind: f"{count} queries, {table.get(kind, 'none')} in {TABLE.name}; if that is meant: {SWITCH}=write"
        for kind, count in found.items()
        if count > table.get(kind, -1)
    }
