"""Rows that a transaction locks after the head of the audit trail, which must be its last lock.

Two transactions that lock the same row and the head in different orders wait for each other in a circle.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import connection, models, transaction
from django.db.models.signals import post_save

from governance.audit.locking import CHAIN_LOCK
from tests.tables import PACKAGES

AFTER_THE_HEAD = {"ModelVersion"}
"""Locked only by those who have the head: `governance/inventory/actions/retirement.py` says why."""
ADVISORY = "pg_advisory_xact_lock"
OURS = tuple(f"{Path(__file__).parents[1]}/{package}/" for package in PACKAGES)


class _Watch:
    """What the transaction has locked so far, and what it locked too late."""

    def __init__(self) -> None:
        self.depth = len(connection.atomic_blocks)
        self.late: list[str] = []
        self.end()

    def end(self) -> None:
        """Forget the locks of the transaction that has ended."""
        self.held: set[object] = set()

    def lock(self, what: object) -> None:
        """Note a lock; one that the transaction already has is never late."""
        if CHAIN_LOCK in self.held and what not in self.held:
            frames = [each for each in traceback.extract_stack() if each.filename.startswith(OURS)]
            calls = " > ".join(f"{each.filename.rpartition('/')[2]}:{each.lineno}" for each in frames)
            self.late.append(f"{what} from {calls}")
        self.held.add(what)

    def own(self, sender: type[models.Model], instance: models.Model, **_: Any) -> None:
        """A row that the transaction itself has stored: nobody else holds it."""
        self.held.add((sender.__name__, instance.pk))

    def run(self, execute: Callable[..., Any], sql: str, params: Sequence[Any], many: bool, context: Any) -> Any:
        """Run a statement, and note the advisory lock that it takes."""
        if ADVISORY in sql:
            self.lock(params[0])
        return execute(sql, params, many, context)


def _pk_of(row: Any) -> Any:
    if isinstance(row, models.Model):
        return row.pk
    return row[0] if isinstance(row, tuple) else row


@contextmanager
def late_locks() -> Iterator[list[str]]:
    """Everything that the block locks after the head of the audit trail, with the calls that led there.

    A query that skips locked rows waits for nobody and is not counted.
    """
    watch = _Watch()
    fetch, leave = models.QuerySet._fetch_all, transaction.Atomic.__exit__

    def fetch_all(rows: Any) -> None:
        is_new = rows._result_cache is None
        fetch(rows)
        query = rows.query
        is_free = query.select_for_update_skip_locked or rows.model.__name__ in AFTER_THE_HEAD
        if is_new and query.select_for_update and not is_free:
            for row in rows._result_cache:
                watch.lock((rows.model.__name__, _pk_of(row)))

    def end(block: Any, *raised: Any) -> None:
        leave(block, *raised)
        if len(connection.atomic_blocks) <= watch.depth:
            watch.end()

    post_save.connect(watch.own)
    try:
        with (
            patch.object(models.QuerySet, "_fetch_all", fetch_all),
            patch.object(transaction.Atomic, "__exit__", end),
            connection.execute_wrapper(watch.run),
        ):
            yield watch.late
    finally:
        post_save.disconnect(watch.own)
