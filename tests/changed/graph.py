"""Who depends on what: modules by their imports and by their names in texts, tests by the fixtures they name."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tests.changed.reading import Reading

Node = str
"""A module, `tests.integration.conftest:cast` for a fixture, or one of the groups below."""

START, WEB, REGISTRY = "<start>", "<web>", "<registry>"
"""What Django's start loads, what every page needs, and what jobs find by its kind."""
TOOLKIT = "benchmarking/toolkit/src/"
APPLICATION = {"governance", "benchmarking", "reviews", "config"}
WEB_IMPORTS = re.compile(
    r"django\.(test\b|urls|template|shortcuts|core\.management|contrib\.staticfiles)|rest_framework\.test"
    r"|pytest_django\.live_server_helper|playwright|manage\b"
)
"""Who imports one of these may open a page or run a command."""
WEB_NAMES = {"live_server", "client", "admin_client", "async_client", "rf", "api_client"}
RUNS = {"tick", "ticks", "deliver", "deliver_next", "request_regular_jobs", "tasks", "call_command", "autoretry_for"}
"""Names of what runs handlers that register themselves."""
REGISTERED = {"tasks", "ticks", "outbox", "kinds", "commands", "jobs", "approvals"}
OUTSIDE = ("config.reference", "config.broker", "governance.site.web", "governance.site.api")
"""Of what every page needs, these are not: the generated pages of docs, and pages of their own."""
ADDRESSES = {"urls", "api_urls"}
EVERY_TEST = "tests.conftest"
"""A change to it runs everything. What it puts back before each test, no test notices that does not use it itself."""


def module_of(path: str) -> str:
    """`reviews/voting/rules.py` is reviews.voting.rules."""
    parts = PurePosixPath(path.removeprefix(TOOLKIT)).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_test(module: str) -> bool:
    return module.startswith("tests.") and module.rpartition(".")[2].startswith("test_")


class Graph:
    """The modules of a tree, and whom each depends on."""

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self.paths = {module_of(path): path for path in readings}
        self.readings = {module_of(path): reading for path, reading in readings.items()}
        roots = {module.partition(".")[0] for module in self.paths}
        self._named = re.compile(rf"\b(?:{'|'.join(sorted(roots))})(?:\.\w+)+") if roots else re.compile("(?!)")
        self.needs: dict[Node, set[Node]] = {}
        for module, reading in self.readings.items():
            self.needs[module] = self._needs(module, reading)
            for name, part in reading.parts.items():
                self.needs[f"{module}:{name}"] = {module} | self._needs(module, part) - {f"{module}:{name}"}
        self.needs[EVERY_TEST] = set()
        for module in [one for one in self.paths if one.startswith("config.")]:
            self.needs[module] -= {one for one in self.needs[module] if one.endswith(".tasks")}  # queues by name
        self.needs |= {START: set(self._start()), WEB: set(self._web()), REGISTRY: set(self._registered())}
        self._used_by: dict[Node, set[Node]] = {}
        for node, needed in self.needs.items():
            for one in needed:
                self._used_by.setdefault(one, set()).add(node)

    def module(self, dotted: str) -> str | None:
        """The module that a dotted name is, or is a name of."""
        while dotted and dotted not in self.paths:
            dotted = dotted.rpartition(".")[0]
        return dotted or None

    def _needs(self, module: str, reading: Reading) -> set[Node]:
        named = {name for text in reading.texts for name in self._named.findall(text)}
        found = {self.module(one) for one in reading.imports} | {
            one for name in named if "." in (one := self.module(name) or "")
        }
        if "-m" in reading.texts:  # a program: `python -m weighbridge`
            found |= {f"{name}.__main__" for name in reading.texts if f"{name}.__main__" in self.paths}
        if module.startswith("tests."):
            found |= self._groups(module, reading) | self._fixtures(module, reading)
            for helper in {module, *found} & self.readings.keys():
                found |= {f"{helper}:{name}" for name in self.readings[helper].parts.keys() & reading.names}
        return {one for one in found if one is not None} - {module}

    def _groups(self, module: str, reading: Reading) -> set[Node]:
        is_unit = module.startswith("tests.unit.")
        opens = any(WEB_IMPORTS.match(one) for one in reading.imports) or (not is_unit and reading.names & WEB_NAMES)
        runs = reading.names & RUNS and not is_unit
        starts = not is_unit and is_test(module)
        return {group for group, is_needed in ((WEB, opens), (REGISTRY, runs), (START, starts)) if is_needed}

    def _fixtures(self, module: str, reading: Reading) -> set[Node]:
        """The fixtures that it names, of the `conftest.py` of every folder above it, and these files themselves."""
        found, folder = set(), module.rpartition(".")[0]
        asked = reading.names | reading.texts
        while folder:
            conftest = f"{folder}.conftest"
            if conftest in self.readings and conftest != module:
                found.add(conftest)
            parts = self.readings[conftest].parts if conftest in self.readings else dict[str, Reading]()
            found |= {f"{conftest}:{name}" for name in parts.keys() & asked}
            folder = folder.rpartition(".")[0]
        return found

    def _start(self) -> Iterator[Node]:
        return (module for module in self._application() if module.rpartition(".")[2] == "apps")

    def _web(self) -> Iterator[Node]:
        yield START
        for module in self._application():
            if module.startswith(("config.", "governance.site.")) and not module.startswith(OUTSIDE):
                yield module

    def _registered(self) -> Iterator[Node]:
        yield START
        yield from (module for module in self._application() if REGISTERED & set(module.split(".")))

    def _application(self) -> Iterator[str]:
        return (module for module in self.paths if module.partition(".")[0] in APPLICATION)

    def users(self, nodes: Iterable[Node], *, stops: Callable[[Node], bool] = lambda node: False) -> dict[Node, int]:
        """Everything that depends on one of the nodes, with its distance. Beyond a node that stops, nobody is looked
        for; the nodes themselves do not stop.
        """
        found: dict[Node, int] = dict.fromkeys(nodes, 0)
        waiting = list(found)
        while waiting:
            nearest, waiting = waiting, []
            for node in nearest:
                if found[node] and stops(node):
                    continue
                for user in self._used_by.get(node, ()):
                    if user not in found:
                        found[user] = found[node] + 1
                        waiting.append(user)
        return found

    def texts_of(self, module: str) -> set[str]:
        """The texts of a test, of the fixtures it names, and of the helpers under `tests` that it imports."""
        return {text for reading in self._own(module) for text in reading.texts}

    def follows(self, module: str) -> bool:
        """Whether it may open an address that it found in an answer."""
        return any(reading.follows for reading in self._own(module))

    def _own(self, module: str) -> Iterator[Reading]:
        seen, waiting = {module}, [module]
        while waiting:
            node = waiting.pop()
            owner, _, part = node.partition(":")
            yield self.readings[owner].parts[part] if part else self.readings[owner]
            fresh = {one for one in self.needs[node] - seen if one.startswith("tests.")}
            seen |= fresh
            waiting += fresh
