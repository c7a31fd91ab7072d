"""The rules: which test files a changed file can touch, by what kind of file it is."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tests.changed.graph import ADDRESSES, APPLICATION, WEB, Graph, Node, is_test, module_of
from tests.changed.pages import Route, opened, templates_that_load, templates_with

EVERYTHING = re.compile(
    r"pyproject\.toml|requirements/|\.ci/|config/(settings|env|database)|tests/(conftest|run|counting|marking)\b"
    r"|tests/(remembered|template_database|described)\b"
)
"""What every test is run with."""
WALKING = re.compile(
    r"tests/(architecture|contracts|golden|functional|promises)/|.*/test_(permissions|possible|walk|recording)\.py"
)
"""Tests that go through everything there is."""
OF_DOCUMENTS = re.compile(r"tests/(architecture|contracts)/")
SEARCHES = {"rglob", "glob", "iterdir", "walk_packages", "iter_modules", "get_resolver", "url_patterns", "get_models"}
TREE = {"ROOT", "__file__", "BASE_DIR", "get_resolver", "get_models", "walk_packages", "iter_modules"}
COMMON = {"tests", "unit", "integration", "governance", "reviews", "benchmarking", "toolkit", "src", "weighbridge"}
"""Names of folders that say nothing about a file in them."""


@dataclass
class Choice:
    """The chosen test files with their distances from the change, and why: reason -> the files it adds."""

    distances: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, set[str]] = field(default_factory=dict)

    def add(self, reason: str, found: Mapping[str, int]) -> None:
        """For this reason, run these."""
        self.reasons.setdefault(reason, set()).update(found.keys() - self.distances.keys())
        for path, distance in found.items():
            self.distances[path] = min(distance, self.distances.get(path, distance))

    def ordered(self) -> list[str]:
        """The nearest to the change first."""
        return sorted(self.distances, key=lambda path: (self.distances[path], path))


@dataclass(frozen=True)
class Tree:
    """The tree after the change: its modules, the contents of its templates by name, and its addresses if asked."""

    graph: Graph
    templates: Mapping[str, str]
    routes: Callable[[], Collection[Route]]

    def tests(self) -> Iterator[str]:
        """All test files but those that measure."""
        return (
            path
            for module, path in self.graph.paths.items()
            if is_test(module) and not path.startswith("tests/performance/")
        )


def choose(changed: Collection[str], tree: Tree) -> Choice:
    """The test files that can notice a change of these files; a file that is not in the tree was removed."""
    choice, modules, templates = Choice(), set[Node](), set[str]()
    for path in sorted(changed):
        for reason, found in _at_once(path, tree):
            choice.add(f"{path}{reason}", found)
        if path.startswith("templates/"):
            templates.add(path.removeprefix("templates/"))
        elif path.endswith(".py"):
            modules |= _modules(path, tree)
        else:
            modules |= _naming(path, tree)
    _add_users(choice, modules, templates, tree)
    others = [path for path in changed if not is_test(module_of(path))]
    if others:
        documents = all(path.endswith(".md") for path in others)
        reason = "tests that go through all documents" if documents else "tests that go through everything"
        choice.add(reason, {path: 9 for path in _walking(tree) if not documents or OF_DOCUMENTS.match(path)})
    return choice


def _at_once(path: str, tree: Tree) -> Iterator[tuple[str, dict[str, int]]]:
    """What follows from the place of a file alone."""
    module = module_of(path) if path.endswith(".py") else ""
    folder = path.rpartition("/")[0] + "/"
    if EVERYTHING.match(path):
        yield ": every test is run with it", _all(tree)
    elif "/migrations/" in path:
        yield ": tests with a database", _all(tree, lambda one: not one.startswith("tests/unit/"))
    elif module and module not in tree.graph.paths:
        yield " was removed or is no module: everything", {} if is_test(module) else _all(tree)
    elif path.endswith("/conftest.py"):
        yield ": the tests of its folder", _all(tree, lambda one: one.startswith(folder))
    elif _lists_addresses(module):
        yield ": tests that may open a page", _web(tree)
    elif not module and path.startswith("tests/"):
        yield ": the tests beside it", _all(tree, lambda one: folder.startswith(one.rpartition("/")[0] + "/"))
    elif not module and not path.startswith("templates/") and not _is_looked_at(path) and not _naming(path, tree):
        yield ": nobody names it, so everything", _all(tree)


def _modules(path: str, tree: Tree) -> set[Node]:
    """The module and its parts."""
    module = module_of(path)
    if module not in tree.graph.readings:
        return set()
    return {module, *(f"{module}:{part}" for part in tree.graph.readings[module].parts)}


def _is_looked_at(path: str) -> bool:
    """Whether the tests that go through everything look at it: stylesheets, scripts and documents."""
    return "/static/" in path or path.endswith(".md")


def _all(tree: Tree, is_wanted: Callable[[str], bool] = lambda path: True) -> dict[str, int]:
    return {path: 8 for path in tree.tests() if is_wanted(path)}


def _web(tree: Tree) -> dict[str, int]:
    """The tests that may open a page."""
    users = tree.graph.users([WEB])
    return {path: 7 for path in tree.tests() if module_of(path) in users}


def _walking(tree: Tree) -> Iterator[str]:
    for path in tree.tests():
        names = tree.graph.readings[module_of(path)].names
        if WALKING.match(path) or (names & SEARCHES and names & TREE):
            yield path


def _naming(path: str, tree: Tree) -> set[Node]:
    """The modules that name a file, or one of the two folders above it."""
    place = PurePosixPath(path)
    wanted = {place.name, place.stem, *place.parts[-3:-1]} - COMMON
    return {
        owner
        for module, reading in tree.graph.readings.items()
        for owner, one in ((module, reading), *((f"{module}:{name}", part) for name, part in reading.parts.items()))
        if any(not wanted.isdisjoint(text.split("/")) for text in one.texts)
    }


def _add_users(choice: Choice, modules: set[Node], templates: set[str], tree: Tree) -> None:
    """The tests that reach one of the modules, or open a page that needs one of them."""
    graph = tree.graph
    reached = graph.users(modules, stops=_stops)
    libraries = {node.rpartition(".")[2] for node in reached if "templatetags" in node.split(".")}
    loading = {one for library in libraries for one in templates_that_load(library, tree.templates)}
    drawn = templates_with(templates | loading, tree.templates)
    drawing = {module for module, one in graph.readings.items() if drawn & one.texts}
    further = graph.users(drawing, stops=_stops)
    choice.add(
        "tests that import what has changed",
        {path: reached[module_of(path)] for path in tree.tests() if module_of(path) in reached},
    )
    choice.add(
        "tests that import what draws it",
        {path: 1 + further[module_of(path)] for path in tree.tests() if module_of(path) in further},
    )
    if WEB in reached or not _have_a_page(templates, tree):
        choice.add("what has changed is on every page: tests that may open one", _web(tree))
    else:
        touched = reached.keys() | further.keys()
        choice.add("tests that may open a page that needs it", dict(_opening(touched, tree)))


def _stops(node: Node) -> bool:
    """The list of addresses knows every view, and opens none."""
    return node == WEB or _lists_addresses(node)


def _lists_addresses(module: str) -> bool:
    return module.rpartition(".")[2] in ADDRESSES and module.partition(".")[0] in APPLICATION


def _have_a_page(templates: Iterable[str], tree: Tree) -> bool:
    """Whether each template is drawn by somebody who can be named: not the layouts, not those of other libraries."""
    named = {text for reading in tree.graph.readings.values() for text in reading.texts}
    return all(
        not one.startswith(("layouts/", "components/")) and templates_with([one], tree.templates) & named
        for one in templates
    )


def _opening(touched: Collection[Node], tree: Tree) -> Iterator[tuple[str, int]]:
    """Tests that may open one of the pages, by its address, its name, or an address found in an answer."""
    if not any(node.partition(".")[0] in APPLICATION for node in touched):
        return
    has_admin = any(node.rpartition(".")[2] == "admin" for node in touched)  # whose views are Django's
    pages = [
        route
        for route in tree.routes()
        if route.module in touched or (has_admin and route.address.startswith("/admin/"))
    ]
    if not pages:
        return
    may_open = tree.graph.users([WEB])
    for path in tree.tests():
        module = module_of(path)
        if module in may_open and (tree.graph.follows(module) or opened(tree.graph.texts_of(module), pages)):
            yield path, 6
