"""One term for one thing: addresses and names against the glossary."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from config.env import ROOT
from governance.site.domain.glossary import sections
from tests.architecture.tree import TOOLKIT, name_of, parsed, sources

GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text()
SOURCES = ("config", "reviews", "benchmarking", "governance", "examples")
FOREIGN = ("admin/", "accounts/", "__")
MOST_SHARED_NAMES = 30


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield address
        else:
            yield from routes(each, address)


def own_routes() -> list[str]:
    return [each for each in routes(get_resolver()) if not each.startswith(FOREIGN)]


def words(address: str) -> set[str]:
    return {word for word in re.split(r"[/.]", re.sub(r"<[^>]*>", "", address)) if word}


def of_addresses() -> dict[str, str]:
    """Word -> where the glossary says it stands: both, pages or API."""
    part = GLOSSARY.split("## Words of addresses")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([\w-]+)` \| .* \| (both|pages|API) \|$", part, re.MULTILINE))


def forbidden(*where: str) -> set[str]:
    part = GLOSSARY.split("## Words we do not use")[1]
    rows = re.findall(r"^\| (`.*`) \| .* \| (everywhere|addresses) \|$", part, re.MULTILINE)
    return {word for cell, place in rows if place in where for word in re.findall(r"`(\w+)`", cell)}


def test_the_table_of_forbidden_words_is_read() -> None:
    assert {"fact", "determination"} <= forbidden("everywhere")
    assert {"figures", "reviews"} <= forbidden("addresses")


def test_every_word_of_an_address_is_in_the_glossary_and_in_the_places_it_says() -> None:
    api = set().union(*(words(each) for each in own_routes() if each.startswith("api/"))) - {"api", "v1"}
    pages = set().union(*(words(each) for each in own_routes() if not each.startswith("api/")))
    found = {word: "both" if word in api & pages else "API" if word in api else "pages" for word in api | pages}
    assert found == of_addresses()


def test_every_name_in_code_exists() -> None:
    terms = GLOSSARY.split("## Words of addresses")[0]
    named = re.findall(r"^\| [^|]+ \| [^|]+ \| `([\w.]+)` \|$", terms, re.MULTILINE)
    assert len(named) > 50
    known = {node.name for _, node in definitions()} | {
        target.id
        for path in sources(*SOURCES)
        for node in parsed(path).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    packages = {".".join(path.parent.relative_to(ROOT / TOOLKIT).parts) for path in sources(TOOLKIT)}
    assert [name for name in named if name not in known and name.removeprefix("weighbridge.") not in packages] == []


def test_every_mark_beside_a_term_names_a_term() -> None:
    marks = re.compile(r'{% term "([^"]+)" %}|{% section [^%]*\bterm="([^"]+)"')
    named = {
        first or second: path.name
        for path in (ROOT / "templates").rglob("*.html")
        for first, second in marks.findall(path.read_text())
    }
    known = {name for section in sections() for term in section.terms for name in term.names}
    assert len(named) > 30
    assert set(named) - known == set(), named


def test_no_address_has_a_word_we_do_not_use() -> None:
    assert {word for each in own_routes() for word in words(each)} & forbidden("everywhere", "addresses") == set()


NAMED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions() -> Iterator[tuple[str, NAMED]]:
    for path in sources(*SOURCES):
        yield from ((name_of(path), node) for node in ast.walk(parsed(path)) if isinstance(node, NAMED))


def named_words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_module_class_or_function_is_named_by_a_word_we_do_not_use() -> None:
    unwanted = forbidden("everywhere")
    wrong = [
        f"{where}: {node.name}"
        for where, node in definitions()
        if not node.name.startswith("_") and named_words(node.name) & unwanted
    ]
    modules = [name for path in sources(*SOURCES) if named_words(name := name_of(path)) & unwanted]
    assert (wrong, modules) == ([], [])


def test_few_classes_share_a_name() -> None:
    counted = Counter(
        node.name
        for _, node in definitions()
        if isinstance(node, ast.ClassDef) and node.name not in {"Meta", "Command", "Migration"}
    )
    shared = sorted(name for name, count in counted.items() if count > 1)
    assert len(shared) <= MOST_SHARED_NAMES, shared
