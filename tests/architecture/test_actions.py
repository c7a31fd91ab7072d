"""A write is one function in `actions/`: keyword-only, `by=` and `now=`; the rules take keywords too."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import APPS, ROOT, name_of, parsed, sources


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))


def missing(function: ast.FunctionDef) -> list[str]:
    """What the signature of a write lacks."""
    names = {argument.arg for argument in function.args.kwonlyargs}
    lacks = [f"no {name}=" for name in ("by", "now") if name not in names]
    return lacks + ["positional arguments"] * bool(function.args.args or function.args.posonlyargs)


def positional(function: ast.FunctionDef) -> int:
    return len(function.args.args) + len(function.args.posonlyargs)


def action_modules() -> list[Path]:
    return [path for path in sources(*(f"{app}/actions" for app in APPS)) if path.name != "__init__.py"]


def test_an_incomplete_signature_is_seen() -> None:
    (function,) = public_functions(ast.parse("def cast(vote, *, by): ..."))
    assert missing(function) == ["no now=", "positional arguments"]
    (function,) = public_functions(ast.parse("def cast(*, vote, by, now): ...\ndef _own(x): ..."))
    assert missing(function) == []


def test_every_write_is_keyword_only_and_takes_by_and_now() -> None:
    lacking = [
        f"{name_of(path)}: {function.name} has {', '.join(missing(function))}"
        for path in action_modules()
        for function in public_functions(parsed(path))
        if missing(function)
    ]
    assert lacking == []


def test_every_write_has_a_docstring() -> None:
    bare = [
        f"{name_of(path)}: {function.name}"
        for path in action_modules()
        for function in public_functions(parsed(path))
        if not ast.get_docstring(function)
    ]
    assert bare == []


def test_queries_of_more_than_one_argument_take_keywords() -> None:
    loose = [
        f"{name_of(path)}: {function.name}"
        for path in sources(*(f"{app}/queries" for app in APPS))
        for function in public_functions(parsed(path))
        if positional(function) > 1
    ]
    assert loose == []


def reads_the_clock(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"timezone", "datetime", "date"}
    ]


def test_time_is_an_argument_below_the_edges() -> None:
    assert reads_the_clock(ast.parse("x = timezone.now()\ny = date.today()")) == [1, 2]
    inner = [f"{app}/{room}" for app in APPS for room in ("domain", "actions", "queries")]
    files = [*sources(*inner), *(ROOT / app / "rules.py" for app in APPS)]
    assert [f"{name_of(path)}:{line}" for path in files for line in reads_the_clock(parsed(path))] == []
