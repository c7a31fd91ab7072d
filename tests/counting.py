"""When lines count as covered: while a test of a unit or of an integration runs, never in what only leads up to it.

A plugin of `tests/run.sh`. Counting makes work on the database slower by half, and what a sweep over everything or the
set-up of a test reaches is reached without anybody judging it.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from coverage import Coverage

SWEEPING = {"architecture", "contracts", "functional", "golden", "promises"}
"""Folders whose tests try the whole at once."""
WALKING = {"test_permissions.py", "test_possible.py", "test_walk.py"}
"""Files of integration tests that do the same: everybody tries every step in every state."""
SET_UP_AT_LENGTH = {"integration"}
"""Folders whose fixtures walk through the application."""


@contextmanager
def uncounted() -> Iterator[None]:
    """Rest from counting. A process of xdist counts twice over, so a `no_cover` of pytest-cov would rest one of the
    two.
    """
    resting = []
    while (counted := Coverage.current()) is not None:
        counted.stop()
        resting.append(counted)
    try:
        yield
    finally:
        for counted in reversed(resting):
            counted.start()


def folder_of(item: pytest.Item) -> str:
    """The folder right under `tests/`."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if folder_of(item) not in SWEEPING and item.path.name not in WALKING:
        return (yield)
    with uncounted():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    if folder_of(item) not in SET_UP_AT_LENGTH:
        return (yield)
    with uncounted():
        return (yield)
