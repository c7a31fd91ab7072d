"""What only tests call is dead: every public function and class of the source is named somewhere else in it."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, name_of, parsed, sources, templates

ALIVE = {
    "TokenScheme": "registers itself with drf-spectacular by being defined",
    "PacketPrinter": "the port that the printer keeps to",
    "SearchEntry": "triggers write its table, and one statement reads it",
    "post_worker_init": "gunicorn calls it in each process",
}
FOUND_BY_DJANGO = ("/management/commands/", "/apps.py")
WORD = re.compile(r"\w+")


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is bare text: what it names is described, not used."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def names_in(node: ast.AST) -> Iterator[str]:
    """Every name that code uses, imports or says in a text, as a dotted path does; definitions and docstrings aside."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            yield name
        case ast.Constant(value=str(text)):
            yield from WORD.findall(text)
    for child in ast.iter_child_nodes(node):
        if not is_docstring(child):
            yield from names_in(child)


def defined(tree: ast.Module) -> Iterator[str]:
    """Public functions and classes at the top of a module; what is decorated is taken by its decorator."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.decorator_list:
            yield from () if node.name.startswith("_") else (node.name,)


def dead(trees: dict[str, ast.Module], texts: str = "") -> dict[str, str]:
    """Names that nothing but their own definition has, each with its file."""
    named = Counter(WORD.findall(texts))
    for tree in trees.values():
        named.update(names_in(tree))
    return {name: file for file, tree in trees.items() for name in defined(tree) if not named[name]}


def test_a_dead_name_is_seen() -> None:
    library = ast.parse(
        'def used(): ...\ndef told(): ...\ndef shown(): ...\ndef dead():\n    """`dead`."""\ndef _own(): ...'
    )
    caller = ast.parse('from library import used\nTASK = "library.told"')
    assert dead({"library.py": library, "caller.py": caller}, "{% shown %}") == {"dead": "library.py"}


def project_files() -> list[Path]:
    return [ROOT / "pyproject.toml", ROOT / "benchmarking/toolkit/pyproject.toml", *templates()]


def test_nothing_is_there_for_tests_alone() -> None:
    trees = {name_of(path): parsed(path) for path in (*sources(), *sources("config"), ROOT / "manage.py")}
    found = dead(trees, "\n".join(path.read_text() for path in project_files()))
    left = {name for name, file in found.items() if not any(part in file for part in FOUND_BY_DJANGO)}
    assert left == set(ALIVE), {
        name: found.get(name, "named by now: take it off the list") for name in left ^ set(ALIVE)
    }
