"""The tree under test: which files there are, and the calls, imports and functions in them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("governance", "benchmarking", "reviews")
TOOLKIT = "benchmarking/toolkit/src/weighbridge"


def name_of(path: Path) -> str:
    """A path as messages show it: relative to the repository."""
    return path.relative_to(ROOT).as_posix()


def sources(*folders: str) -> list[Path]:
    """Python files of the named folders (the three apps when none is named); no migrations, nothing that pip built."""
    found = (path for folder in folders or APPS for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not {"migrations", "__pycache__", "build"} & set(path.parts))


def subjects(app: str) -> list[str]:
    """Names of the folders of one app that are subjects; the toolkit is a library and none."""
    return sorted(path.parent.name for path in (ROOT / app).glob("*/__init__.py"))


def layers(*names: str) -> list[Path]:
    """The modules of every subject that lie in a layer of one of the names: `actions.py`, `actions/budgets.py`."""
    return [path for path in sources() if not path.is_relative_to(ROOT / TOOLKIT) and _layer_of(path) in names]


def _layer_of(path: Path) -> str:
    """The layer of a module: the first name below its subject, and below a part of a subject like `approvals`."""
    inside = path.relative_to(ROOT).with_suffix("").parts[2:]
    return inside[1] if inside[:1] == ("approvals",) and len(inside) > 1 else inside[0] if inside else ""


def templates() -> list[Path]:
    """Every HTML template."""
    return sorted((ROOT / "templates").rglob("*.html"))


def is_packet(path: Path) -> bool:
    """Packets are printed, not served: no content policy applies to them."""
    folders = ("packets", "quarterly/packet")
    return any(path.is_relative_to(ROOT / "templates" / "reviews" / folder) for folder in folders)


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
