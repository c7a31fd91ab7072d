"""Which tests may open a page: their texts are compared with the addresses and the names of the pages."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tests.changed.reading import GAP

PARAMETER = re.compile(r"<[^>]*>|\(\?P<[^>]*>[^)]*\)|\([^?)][^)]*\)|\\Z|[\^$?]|\\")
QUOTED = re.compile(r"""["']([\w./-]+\.(?:html|txt|svg|xml))["']""")
LOADED = re.compile(r"{%\s*load\s+([^%]+?)\s*%}")


@dataclass(frozen=True)
class Route:
    """An address as a text with GAP for each parameter, its name with its namespaces, and the module of its view."""

    address: str
    name: str
    module: str


def routes() -> Iterator[Route]:
    """All addresses of the application."""
    import django
    from django.urls import URLPattern, URLResolver, get_resolver

    django.setup()

    def below(resolver: URLResolver, prefix: str, spaces: str) -> Iterator[Route]:
        for pattern in resolver.url_patterns:
            address = prefix + PARAMETER.sub(lambda found: GAP if len(found[0]) > 2 else "", str(pattern.pattern))
            if isinstance(pattern, URLPattern):
                view = pattern.callback
                owner = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
                yield Route(address, f"{spaces}{pattern.name or ''}", owner.__module__)
            else:
                yield from below(pattern, address, f"{spaces}{pattern.namespace}:" if pattern.namespace else spaces)

    return below(get_resolver(), "/", "")


def opened(texts: Iterable[str], pages: Iterable[Route]) -> bool:
    """Whether one of the texts may be the address of a page, or is its name."""
    wanted = list(pages)
    names = {page.name for page in wanted if page.name}
    return any(text in names or any(may_be(text, page.address) for page in wanted) for text in texts)


@cache
def may_be(text: str, address: str) -> bool:
    """Whether a text can stand for an address. A gap in it is any text, one in the address all but a slash. A text that
    does not begin with a slash may be the end of an address.
    """
    path = re.split(r"[?#]", text.removeprefix("https://weighbridge.test"))[0]
    if "/" not in path or " " in path:
        return False
    if not path.startswith("/"):
        return _meet(GAP + path, address)
    head, other = path[1:].partition("/")[0], address[1:].partition("/")[0]
    return (GAP in head + other or head == other) and _meet(path, address)


def _meet(path: str, address: str) -> bool:
    """Whether there is a text that both describe."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        at, to = waiting.pop()
        if at == len(path) and to == len(address):
            return True
        a, b = path[at : at + 1], address[to : to + 1]
        steps = []
        if a == GAP:
            steps += [(at + 1, to), (at, to + 1)] if b else [(at + 1, to)]
        if b == GAP:
            steps += [(at, to + 1), *([(at + 1, to)] if a and a != "/" else [])]
        if a and a == b:
            steps.append((at + 1, to + 1))
        fresh = [step for step in steps if step not in reached]
        reached.update(fresh)
        waiting += fresh
    return False


def templates_with(names: Iterable[str], contents: Mapping[str, str]) -> set[str]:
    """The templates, and those that include or extend one of them, directly or by others."""
    found, users = set(names), dict[str, set[str]]()
    for template, content in contents.items():
        for named in QUOTED.findall(content):
            users.setdefault(named, set()).add(template)
    waiting = list(found)
    while waiting:
        fresh = users.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


def templates_that_load(library: str, contents: Mapping[str, str]) -> set[str]:
    """The templates that load a library of tags."""
    return {
        name for name, content in contents.items() if any(library in one.split() for one in LOADED.findall(content))
    }
