"""Several threads against one database, let loose together."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
PATIENCE_S = 60


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
