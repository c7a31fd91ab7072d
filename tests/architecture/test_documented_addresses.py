"""Every address of the API that a page of the documentation names exists, with the method that the page names."""

import functools
import re
from pathlib import Path

import pytest
import yaml

from tests.architecture.tree import ROOT

PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarking/toolkit/*.md")]
    if "_build" not in page.parts and page.name not in {"connect-jira.md", "jira-standin.md", "promises.md"}
]
"""All but the pages about Jira's own API and the generated report of the promises."""
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) ([^`?]+)[^`]*`")
ADDRESS = re.compile(r"`/?([a-z][\w/-]*/\{\w+\}/[\w{}/-]*)`")
SERVED = re.compile(r"\$WEIGHBRIDGE_URL/api/v1/([\w{}./-]+)")
FILES = (".csv", ".xlsx")


@functools.cache
def operations() -> tuple[tuple[str, list[str]], ...]:
    """Each operation of the API as its method and the parts of its path."""
    paths = yaml.safe_load((ROOT / "docs/reference/openapi.yaml").read_text())["paths"]
    return tuple((method.upper(), parts_of(path)) for path, methods in paths.items() for method in methods)


def parts_of(path: str) -> list[str]:
    return path.removeprefix("/api/v1").strip("/").split("/")


def is_served(method: str, address: str) -> bool:
    """Return whether an operation has this method and ends with this address; pages name the beginning once.

    The first part must be a word of the path, because a parameter matches everything.
    """
    wanted = parts_of(address)
    endings = (parts[-len(wanted) :] for offered, parts in operations() if method in (offered, "ANY"))
    return any(
        ending[0] == wanted[0] and all(map(matches, ending, wanted)) for ending in endings if len(ending) == len(wanted)
    )


def matches(part: str, name: str) -> bool:
    return part == name or part.startswith("{")


def named_on(page: Path) -> list[tuple[str, str]]:
    text = page.read_text()
    calls = [*CALL.findall(text), *(("ANY", address) for address in ADDRESS.findall(text))]
    return [*calls, *(("ANY", address) for address in SERVED.findall(text) if not address.endswith(FILES))]


def test_the_pages_name_addresses() -> None:
    assert sum(len(named_on(page)) for page in PAGES) > 30


@pytest.mark.parametrize(
    ("method", "address", "expected"),
    [
        ("POST", "/api/v1/cycles/{quarter}/start/", True),
        ("POST", "start/", True),
        ("POST", "requests/MRR-2026-0042/projections/", True),
        ("GET", "start/", False),
        ("POST", "hold/", False),
        ("ANY", "reviews/{ref}/costs/", False),
    ],
)
def test_a_wrong_address_is_seen(method: str, address: str, expected: bool) -> None:
    assert is_served(method, address) is expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_address_exists(page: Path) -> None:
    assert [f"{method} {address}" for method, address in named_on(page) if not is_served(method, address)] == []
