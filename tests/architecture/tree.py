"""The tree under test: which files there are, and the calls, imports and functions in them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("governance", "benchmarking", "reviews")


def name_of(path: Path) -> str:
    """A path as messages show it: relative to the repository."""
    return path.relative_to(ROOT).as_posix()


def sources(*folders: str) -> list[Path]:
    """Python files of the named folders (the three apps when none is named), migrations left out."""
    found = (path for folder in folders or APPS for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not {"migrations", "__pycache__"} & set(path.parts))


def templates() -> list[Path]:
    """Every HTML template."""
    return sorted((ROOT / "templates").rglob("*.html"))


def is_packet(path: Path) -> bool:
    """Packets are printed, not served: no content policy applies to them."""
    return any(path.is_relative_to(ROOT / "templates" / folder) for folder in ("packets", "quarterly/packet"))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), filename=str(path))


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Name and line of every call: `delay` for `x.delay()`, `mark_safe` for `mark_safe()`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Module and line of every import, at the top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
