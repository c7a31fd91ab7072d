"""The size budget: what grows past it is two things, and wants two names."""

import ast
import re
from pathlib import Path

from tests.architecture.tree import APPS, ROOT, functions, name_of, parsed, sources, templates

MODULE_LINES = 300
TEST_LINES = 500
BODY_LINES = 55
STATEMENTS = 30
TEMPLATE_CHARACTERS = 8_000
COMPONENT_CHARACTERS = 3_500
TEMPLATE_WIDTH = 160
CHARACTERS = 120
TABLES = 10
PRAGMA = re.compile(r"\s*# (noqa|type: ignore|pragma)\b.*")
SKIP = "# fmt: " + "skip"
WITHOUT_REASON = re.compile(r"# (noqa(: [A-Z0-9, ]+)?|type: ignore(\[[\w, -]+\])?)\s*$")


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def longer_than(limit: int, paths: list[Path]) -> list[str]:
    return [f"{name_of(path)} has {lines(path)} lines, {limit} are allowed" for path in paths if lines(path) > limit]


def statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Statements of a function, those of functions inside it included, itself and docstrings not."""
    return sum(isinstance(node, ast.stmt) and not is_text(node) for node in ast.walk(function)) - 1


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body; its docstring and its parameters, one a line at an edge, do not count."""
    body = [node for node in function.body if not is_text(node)]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def too_long(tree: ast.AST) -> list[str]:
    return [
        f"{function.name} in line {function.lineno}"
        for function in functions(tree)
        if body_lines(function) > BODY_LINES or statements(function) > STATEMENTS
    ]


def test_a_long_function_is_seen() -> None:
    assert too_long(ast.parse("def f():\n" + "    x = 1\n" * 31)) == ["f in line 1"]
    assert too_long(ast.parse("def f():\n" + "    x = 1\n" * 30)) == []
    assert too_long(ast.parse("def f():\n    x = [\n" + "        1,\n" * 54 + "    ]\n")) == ["f in line 1"]
    assert too_long(ast.parse("def f():\n    x = [\n" + "        1,\n" * 53 + "    ]\n")) == []
    assert too_long(ast.parse("def f(\n" + "".join(f"    a{n},\n" for n in range(60)) + "):\n    return a1\n")) == []


def test_modules_stay_short() -> None:
    assert longer_than(MODULE_LINES, sources()) == []


def test_test_modules_stay_short() -> None:
    assert longer_than(TEST_LINES, sources("tests")) == []


def test_functions_stay_short() -> None:
    assert [f"{name_of(path)}: {found}" for path in sources() for found in too_long(parsed(path))] == []


def more_than(limit: int, paths: list[Path]) -> list[str]:
    sizes = [(path, len(path.read_text())) for path in paths]
    return [f"{name_of(path)} has {size} characters, {limit} are allowed" for path, size in sizes if size > limit]


def wider_than(limit: int, paths: list[Path]) -> list[str]:
    lines = [(path, number, len(line)) for path in paths for number, line in enumerate(path.read_text().split("\n"), 1)]
    return [f"{name_of(path)}:{number} has {size} characters" for path, number, size in lines if size > limit]


def test_a_large_template_and_a_wide_line_are_seen() -> None:
    page = ROOT / "templates/allauth/layouts/base.html"
    assert page.read_text() == '{% extends "layouts/bare.html" %}\n'
    assert more_than(33, [page]) == ["templates/allauth/layouts/base.html has 34 characters, 33 are allowed"]
    assert wider_than(32, [page]) == ["templates/allauth/layouts/base.html:1 has 33 characters"]
    assert more_than(34, [page]) == wider_than(33, [page]) == []


def too_wide(text: str) -> list[int]:
    """Numbers of the lines that are too long; what a line says to a checker at its end does not count."""
    shown = (PRAGMA.sub("", line) for line in text.splitlines())
    return [number for number, line in enumerate(shown, 1) if len(line) > CHARACTERS]


def test_a_wide_line_is_seen() -> None:
    assert too_wide("x" * 120 + "\n" + "x" * 121 + "\n" + "x" * 120 + "  # noqa: S603 -- ours") == [2]


def test_lines_stay_short() -> None:
    wide = {name_of(path): too_wide(path.read_text()) for path in sources(*APPS, "tests")}
    assert {name: found for name, found in wide.items() if found} == {}


def test_the_formatter_lays_out_all_but_a_few_tables() -> None:
    laid_out_by_hand = [path for path in sources(*APPS, "tests") for _ in range(path.read_text().count(SKIP))]
    assert len(laid_out_by_hand) <= TABLES, [name_of(path) for path in laid_out_by_hand]


def test_templates_stay_short() -> None:
    assert more_than(TEMPLATE_CHARACTERS, templates()) == []
    assert more_than(COMPONENT_CHARACTERS, [path for path in templates() if "components" in path.parts]) == []


def test_lines_of_templates_stay_short() -> None:
    assert wider_than(TEMPLATE_WIDTH, [*templates(), *sorted((ROOT / "templates").rglob("*.css"))]) == []


def test_what_a_checker_is_told_to_ignore_has_a_reason() -> None:
    assert WITHOUT_REASON.search("x = 1  # noqa: F405")
    assert WITHOUT_REASON.search("x = 1  # type: ignore[misc]")
    assert not WITHOUT_REASON.search("x = 1  # noqa: F405 -- defined in base")
    assert not WITHOUT_REASON.search("x = 1  # type: ignore[misc]  # allauth has no types")
    paths = sources(*APPS, "config", "examples")
    bare = [
        f"{name_of(p)}: {text}" for p in paths for text in p.read_text().splitlines() if WITHOUT_REASON.search(text)
    ]
    assert bare == []
