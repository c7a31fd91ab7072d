"""What one Python file says: what it imports, which names and which texts are in it.

A text with a placeholder, as in `f"/runs/{run.pk}/"`, has GAP in its place.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GAP = "\0"
TEXT_MAX = 400
OPENERS = {"get", "post", "put", "patch", "delete", "head", "options", "generic", "goto", "go", "open"}
"""Methods that open an address."""
VERSION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
CACHE = ".pytest_cache/test-changed.json"


@dataclass(frozen=True)
class Reading:
    """What a file says, or a part of it.

    `imports` are dotted names, `a.b` for `from a import b`. `follows` is True if an address is opened that was found in
    an answer. `parts` of a helper of tests are its functions and classes by name, fixtures among them; what is outside
    them is in the reading itself, and so are the fixtures that every test uses.
    """

    imports: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    follows: bool = False
    parts: Mapping[str, "Reading"] = field(default_factory=dict)


def is_helper(path: str) -> bool:
    """Whether tests use parts of it: fixtures, factories, and other helpers."""
    return path.startswith("tests/") and not Path(path).name.startswith(("test_", "__"))


def read(content: str, *, has_parts: bool = False) -> Reading:
    """Read a file. Raises SyntaxError."""
    tree = ast.parse(content)
    if not has_parts:
        return _reading(tree.body)
    kinds = ast.FunctionDef | ast.ClassDef
    functions = {node.name: node for node in tree.body if isinstance(node, kinds)}
    own = {name: node for name, node in functions.items() if not _is_for_all(node)}
    bound = dict(_bound(tree.body))
    rest = _reading([node for node in tree.body if node not in own.values()], bound)
    return Reading(
        rest.imports, rest.names, rest.texts, rest.follows, {n: _reading([f], bound) for n, f in own.items()}
    )


def _is_for_all(function: ast.FunctionDef | ast.ClassDef) -> bool:
    """A hook, or a fixture that every test uses."""
    marks = [keyword.arg for call in function.decorator_list for keyword in getattr(call, "keywords", ())]
    return function.name.startswith("pytest_") or "autouse" in marks


def _bound(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The names that imports bind, with what they stand for."""
    for node in body:
        match node:
            case ast.Import():
                yield from ((one.asname or one.name.partition(".")[0], one.name) for one in node.names)
            case ast.ImportFrom(module=str(module)):
                yield from ((one.asname or one.name, f"{module}.{one.name}") for one in node.names)


def _reading(body: Iterable[ast.stmt], bound: Mapping[str, str] | None = None) -> Reading:
    """Of the statements. With `bound`, only those imports of the file count whose names are used."""
    imports, names, texts, follows = set[str](), set[str](), set[str](), False
    for node in _walk(body, skips_imports=bound is not None):
        match node:
            case ast.Import() | ast.ImportFrom():
                imports |= {what for _, what in _bound([node])}
                names |= {one.asname or one.name for one in node.names}
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                names.add(name)
            case ast.JoinedStr():
                texts.add("".join(str(v.value) if isinstance(v, ast.Constant) else GAP for v in node.values))
            case ast.BinOp(op=ast.Add()):
                texts.add(_sum(node))
            case ast.Constant(value=str(text)):
                texts.add(text)
            case ast.Call():
                follows |= _follows(node)
    if bound is not None:
        imports |= {bound[name] for name in names & bound.keys()}
    kept = frozenset(text for text in texts if len(text) <= TEXT_MAX)
    long = [line for text in texts if len(text) > TEXT_MAX for line in text.splitlines()]
    return Reading(frozenset(imports), frozenset(names), kept | {one[:TEXT_MAX] for one in long}, follows)


def _walk(body: Iterable[ast.stmt], *, skips_imports: bool) -> Iterator[ast.AST]:
    """Every node but docstrings and what is for the type checker alone."""
    waiting: list[ast.AST] = list(body)
    if skips_imports:
        waiting = [node for node in waiting if not isinstance(node, ast.Import | ast.ImportFrom)]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                waiting += node.orelse
                continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _sum(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sum(left) + _sum(right)
        case ast.JoinedStr():
            return "".join(_sum(value) for value in node.values)
    return GAP


def _follows(call: ast.Call) -> bool:
    if any(keyword.arg == "follow" for keyword in call.keywords):
        return True
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in OPENERS and call.args):
        return False
    found = list(ast.walk(call.args[0]))
    return any(isinstance(node, ast.Subscript) for node in found) or any(
        (isinstance(node, ast.Attribute) and node.attr in {"url", "href"})
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
        for node in found
    )


def readings(root: Path, paths: Iterable[str]) -> dict[str, Reading]:
    """The files by their paths, which begin at the root. What was read before and is the same is not read again."""
    kept, found = _kept(root / CACHE), {}
    for path in paths:
        content = (root / path).read_bytes()
        key = hashlib.sha256(path.encode() + content).hexdigest()
        if key not in kept:
            kept[key] = _plain(read(content.decode(), has_parts=is_helper(path)))
        found[path] = key
    present = {key: kept[key] for key in found.values()}
    (root / CACHE).parent.mkdir(exist_ok=True)
    (root / CACHE).write_text(json.dumps({"version": VERSION, "files": present}))
    return {path: _from_plain(present[key]) for path, key in found.items()}


def _kept(path: Path) -> dict[str, dict[str, object]]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return dict(found["files"]) if found.get("version") == VERSION else {}


def _plain(reading: Reading) -> dict[str, object]:
    return {
        **{key: sorted(value) for key, value in vars(reading).items() if isinstance(value, frozenset)},
        "follows": reading.follows,
        "parts": {name: _plain(part) for name, part in reading.parts.items()},
    }


def _from_plain(found: Mapping[str, object]) -> Reading:
    sets = {key: frozenset(value) for key, value in found.items() if isinstance(value, list)}
    parts = {name: _from_plain(part) for name, part in found["parts"].items()}  # type: ignore[attr-defined]
    return Reading(**sets, follows=bool(found["follows"]), parts=parts)
