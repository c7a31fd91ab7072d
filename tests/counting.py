"""When lines count as covered: while a test of a unit or of an integration runs, never in what only leads up to it.

A plugin of `tests/run.sh`. What a sweep over everything or the set-up of a test reaches is reached without anybody
judging it.
"""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper
from importlib.util import find_spec
from pathlib import Path

import pytest
from coverage import CoverageData
from coverage.files import find_python_files

from tests import marking

SWEEPING = {"architecture", "contracts", "functional", "golden", "promises"}
"""Folders whose tests try the whole at once."""
WALKING = {"test_permissions.py", "test_possible.py", "test_walk.py"}
"""Files of integration tests that do the same: everybody tries every step in every state."""
SET_UP_AT_LENGTH = {"integration"}
"""Folders whose fixtures walk through the application."""
SOURCE = {"governance", "benchmarking", "reviews", "weighbridge"}
"""Packages whose lines are counted."""


marking.install(SOURCE)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Before Django loads anything, but after pytest put its own finder first, which takes `load_test.py` for tests."""
    marking.install(SOURCE)
    return (yield)


@contextmanager
def uncounted() -> Iterator[None]:
    """Rest from counting."""
    marking.rest()
    try:
        yield
    finally:
        marking.resume()


def pytest_sessionfinish() -> None:
    """Write what this process counted, for `coverage combine`; a file that nobody loaded counts as well."""
    data = CoverageData(os.environ.get("COVERAGE_FILE", ".coverage"), suffix=True)
    data.add_arcs({path: arcs for path, arcs in marking.FILES.items() if "/migrations/" not in path})
    data.touch_files(path for path in _sources() if "/migrations/" not in path)
    data.write()


def _sources() -> Iterator[str]:
    for package in SOURCE:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield from find_python_files(folder, include_namespace_packages=False)


@pytest.fixture(scope="module", autouse=True)
def empty_caches() -> None:
    """Empty the caches of functions of the source: what is not counted may have filled them, and a counted test that
    asks again would run no line of the function.
    """
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] in SOURCE:
            for function in vars(module).values():
                if isinstance(function, _lru_cache_wrapper):
                    function.cache_clear()


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
