"""Several threads against one database, let loose together or one in the middle of the other."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, get_ident
from time import monotonic, sleep
from typing import Any, TypeVar

import pytest
from django.db import connection

T = TypeVar("T")
PATIENCE_S = 300


def together(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each work returned or raised, in order; all begin at the same moment, each on a connection of its own."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], T]) -> T | Exception:
        try:
            barrier.wait(PATIENCE_S)
            return work()
        except Exception as error:  # noqa: BLE001 -- the test asks what went wrong where
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works, timeout=PATIENCE_S))


def in_the_middle(
    monkeypatch: pytest.MonkeyPatch, place: tuple[object, str], first: Callable[[], T], second: Callable[[], T]
) -> list[T | Exception]:
    """What both works returned or raised. The second begins when the first calls the function at `place`.

    The first goes on when the second has ended, or waits for a lock.
    """
    owner, name = place
    function, is_there, is_over, of_first = getattr(owner, name), Event(), Event(), set[int]()

    def paused(*arguments: Any, **named: Any) -> Any:
        if get_ident() in of_first and not is_there.is_set():
            is_there.set()
            until = monotonic() + PATIENCE_S / 2
            while not is_over.is_set() and not _is_one_waiting() and monotonic() < until:
                sleep(0.01)
        return function(*arguments, **named)

    def one() -> T:
        of_first.add(get_ident())
        try:
            return first()
        finally:
            is_there.set()

    def other() -> T:
        assert is_there.wait(PATIENCE_S)
        try:
            return second()
        finally:
            is_over.set()

    monkeypatch.setattr(owner, name, paused)
    return together([one, other])


def _is_one_waiting() -> bool:
    """Whether a session waits for a lock in this database: the databases of other test processes do not count.

    A transaction keeps the first answer about sessions that it was given, so it is made to ask anew.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database())"
        )
        (is_waiting,) = cursor.fetchone()
    return bool(is_waiting)
