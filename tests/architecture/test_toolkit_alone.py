"""The toolkit is a library that stands alone: what it may import is written here, and nothing else is."""

import ast
import sys
from pathlib import Path

from weighbridge.core.extras import EXTRAS

ROOT = Path(__file__).parents[2]
# Pure modules of governance that belong to the toolkit's core.
CORE = {
    f"governance.domain.{name}"
    for name in (
        "addresses",
        "artifacts",
        "attestation",
        "canonical",
        "documents",
        "facts",
        "kpis",
        "masking",
        "onnx_structure",
        "refusals",
        "safetensors_structure",
    )
}
LIGHT = {
    "cryptography",
    "genai_prices",
    "hdrh",
    "httptools",
    "numpy",
    "onnx",
    "onnxruntime",
    "rich",
    "scipy",
    "typer",
    "uvloop",
    "yaml",
}
# For type checkers alone.
TYPED = {"_typeshed"}


def module_of(name: str) -> Path | None:
    path = ROOT / name.replace(".", "/")
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


def imported(file: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = {name for name in members if module_of(name)}
            found |= inner or {node.module}
    return found


def reached() -> set[str]:
    """Everything that the toolkit imports, and what that imports in turn."""
    todo, seen, names = [*(ROOT / "benchmarking/toolkit").rglob("*.py")], set(), set()
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in imported(file):
            names.add(name)
            inner = module_of(name)
            todo += [inner] if inner else []
    return names


def test_the_toolkit_imports_its_core_and_light_libraries_and_names_its_extras():
    names = {name for name in reached() if name.partition(".")[0] not in sys.stdlib_module_names}
    ours = {name for name in names if name.startswith(("governance", "benchmarking", "reviews", "config"))}
    packages = {"governance", "benchmarking", "governance.domain"}
    assert {name for name in ours if not name.startswith("weighbridge")} - packages == CORE
    assert {name.partition(".")[0] for name in names - ours} <= LIGHT | set(EXTRAS) | TYPED
