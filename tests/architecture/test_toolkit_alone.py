"""The toolkit is a library that stands alone: it imports nothing of the server, and only what it asks for."""

import ast
import functools
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Mapping

from tests.architecture.tree import ROOT
from weighbridge.core.extras import EXTRAS

TOOLKIT = ROOT / "benchmarking/toolkit"
PROJECT = tomllib.loads((TOOLKIT / "pyproject.toml").read_text())["project"]
# For type checkers alone.
TYPED = {"_typeshed"}


def names_of(requirements: list[str]) -> set[str]:
    """The distributions that requirements name, without versions."""
    return {re.match(r"[\w.-]+", line)[0].lower() for line in requirements}  # type: ignore[index]


def imported() -> set[str]:
    """The first names of all modules that the toolkit imports, anywhere in its files."""
    found = set()
    for file in (TOOLKIT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - TYPED - {"weighbridge"}


@functools.cache
def distributions() -> Mapping[str, list[str]]:
    """The installed distributions by the modules that they hold."""
    return importlib.metadata.packages_distributions()


def distributions_of(module: str) -> set[str]:
    """The installed distributions that a module belongs to."""
    return {name.lower() for name in distributions().get(module, ())}


def test_the_toolkit_imports_what_it_depends_on_and_names_its_extras():
    needed, light = names_of(PROJECT["dependencies"]), imported() - set(EXTRAS)
    assert {module for module in light if not distributions_of(module) & needed} == set()
    assert {need for need in needed if not any(need in distributions_of(module) for module in light)} == set()


def test_each_extra_installs_the_libraries_that_are_said_to_need_it():
    offered = {extra: names_of(needs) for extra, needs in PROJECT["optional-dependencies"].items() if extra != "all"}
    assert set(offered) == set(EXTRAS.values())
    assert {library for library, extra in EXTRAS.items() if not distributions_of(library) & offered[extra]} == set()


def test_all_extras_are_in_all():
    (every,) = PROJECT["optional-dependencies"]["all"]
    assert set(every.removeprefix("weighbridge[").removesuffix("]").split(",")) == set(EXTRAS.values())
