"""Source that notes by itself which of its lines it runs, and from which line it came there.

The tracer of Python 3.11 slows down every line of every library by two thirds to have the lines of our source. Here, a
module of ours is compiled with a mark before each statement, so that nothing else pays. What is noted are the arcs
that coverage.py knows, which reads them and reports.
"""

import ast
import builtins
import contextlib
import hashlib
import marshal
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

Arc = tuple[int, int]
LOAD, STORE = ast.Load(), ast.Store()
VERSION = Path(__file__).read_bytes()
"""Code that another version of this file has marked is marked again."""


class Arcs(set[Arc]):
    """The arcs of one file: (from, to) by line, negative for the way into a function and out of it."""

    def add(self, arc: Arc) -> None:
        """Note an arc that is new."""
        super().add(arc)
        if RESTING:
            UNCOUNTED.append((self, arc))


FILES: dict[str, Arcs] = {}
"""File -> its arcs."""
RESTING: list[None] = []
"""As many as there are reasons why nothing counts now."""
UNCOUNTED: list[tuple[Arcs, Arc]] = []
"""What was noted meanwhile, to be forgotten."""


def rest() -> None:
    """Nothing that runs from now on counts."""
    RESTING.append(None)


def resume() -> None:
    """What runs from now on counts, unless there is another reason to rest."""
    RESTING.pop()
    if not RESTING:
        for arcs, arc in UNCOUNTED:
            arcs.discard(arc)
        UNCOUNTED.clear()


def arcs_of(path: str) -> Arcs:
    """The arcs of a file."""
    return FILES.setdefault(path, Arcs())


class Marker:
    """Puts the marks of one function, class or module. `__at__` is the line that ran before, `__arcs__` the arcs."""

    def __init__(self, *, is_class: bool) -> None:
        self.is_class = is_class

    def mark(self, line: int, like: ast.stmt) -> list[ast.stmt]:
        """Note that the line comes next. In the body of a class no name can be bound."""
        place = {"lineno": like.lineno, "end_lineno": like.lineno, "col_offset": 0, "end_col_offset": 0}
        came = _constant(0, place) if self.is_class else _name("__at__", place)
        arc = ast.Tuple([came, _constant(line, place)], LOAD, **place)
        add = ast.Attribute(_name("__arcs__", place), "add", LOAD, **place)
        is_new = ast.Compare(arc, [ast.NotIn()], [_name("__arcs__", place)], **place)
        note: ast.stmt = ast.Expr(ast.Call(add, [arc], [], **place), **place)
        return [ast.If(is_new, [note], [], **place), *self.at(line, like)]

    def at(self, line: int, like: ast.stmt) -> list[ast.stmt]:
        """Say that the line ran before, which was noted already."""
        if self.is_class:
            return []
        place = {"lineno": like.lineno, "end_lineno": like.lineno, "col_offset": 0, "end_col_offset": 0}
        return [ast.Assign([ast.Name("__at__", STORE, **place)], _constant(line, place), **place)]

    def body(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements with their marks."""
        return [marked for statement in statements for marked in self.statement(statement)]

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """The statement, and the marks that it needs before it and in it."""
        lines = [each.lineno for each in getattr(node, "decorator_list", ())] + [node.lineno]
        before = [mark for line in lines for mark in self.mark(line, node)]
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                node.body = _function(node)
            case ast.ClassDef():
                node.body = _class(node)
            case ast.For() | ast.AsyncFor() | ast.While():
                self.loop(node)
            case ast.If():
                node.body, node.orelse = self.body(node.body), self.body(node.orelse)
            case ast.With() | ast.AsyncWith():
                node.body = self.body(node.body)
            case ast.Try() | ast.TryStar():
                self.attempt(node)
            case ast.Match():
                self.cases(node)
        return [*before, node]

    def loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        again, over = self.mark(node.lineno, node.body[-1]), self.at(node.lineno, node.body[-1])
        node.body = [*self.at(node.lineno, node.body[0]), *self.body(node.body), *again]
        node.orelse = [*over, *self.body(node.orelse)]

    def attempt(self, node: ast.Try | ast.TryStar) -> None:
        passed: list[int] = []
        node.body, node.orelse = self.body(node.body), self.body(node.orelse)
        node.finalbody = self.body(node.finalbody)
        for handler in node.handlers:
            passed.append(handler.lineno)
            marks = [mark for line in passed for mark in self.mark(line, handler.body[0])]
            handler.body = [*marks, *self.body(handler.body)]

    def cases(self, node: ast.Match) -> None:
        passed: list[int] = []
        for case in node.cases:
            passed.append(case.pattern.lineno)
            marks = [mark for line in passed for mark in self.mark(line, case.body[0])]
            case.body = [*marks, *self.body(case.body)]
        last = node.cases[-1]
        if last.guard is not None or not _takes_all(last.pattern):
            nothing = [mark for line in passed for mark in self.mark(line, node)]
            node.cases.append(ast.match_case(pattern=ast.copy_location(ast.MatchAs(), last.pattern), body=nothing))


def _takes_all(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=inner):
            return _takes_all(inner)
        case ast.MatchOr():
            return _takes_all(pattern.patterns[-1])
    return False


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """The body of a function with the way in and the way out at its end."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    documented, rest_of_body = _split(node.body)
    marker, last = Marker(is_class=False), node.body[-1]
    return [*documented, *marker.at(-first, node.body[0]), *marker.body(rest_of_body), *marker.mark(-first, last)]


def _class(node: ast.ClassDef) -> list[ast.stmt]:
    """The body of a class. Its docstring stays its first statement, or it would be none."""
    documented, rest_of_body = _split(node.body)
    marker = Marker(is_class=True)
    marks = [mark for each in documented for mark in marker.mark(each.lineno, each)]
    return [*documented, *marks, *marker.body(rest_of_body)]


def _split(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The docstring, and the rest."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str())) as documented, *others]:
            return [documented], others
    return [], list(body)


def _in_lambda(body: ast.expr) -> ast.expr:
    """The body, whose line is noted when it runs, which may be long after its statement."""
    place = {"lineno": body.lineno, "end_lineno": body.lineno, "col_offset": 0, "end_col_offset": 0}
    arc = ast.Tuple([_constant(0, place), _constant(body.lineno, place)], LOAD, **place)
    add = ast.Attribute(_name("__arcs__", place), "add", LOAD, **place)
    is_known = ast.Compare(arc, [ast.In()], [_name("__arcs__", place)], **place)
    note = ast.BoolOp(ast.Or(), [is_known, ast.Call(add, [arc], [], **place), _constant(True, place)], **place)
    return ast.copy_location(ast.BoolOp(ast.And(), [note, body]), body)


def _constant(value: object, place: dict[str, int]) -> ast.expr:
    return ast.Constant(value, **place)


def _name(name: str, place: dict[str, int]) -> ast.expr:
    return ast.Name(name, LOAD, **place)


def marked(source: str | bytes, path: str) -> CodeType:
    """The module's code, with its marks."""
    tree = ast.parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            node.body = _in_lambda(node.body)
    documented, body = _split(tree.body)
    future = [each for each in body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    if tree.body:
        marker, like, last = Marker(is_class=False), tree.body[0], tree.body[-1]
        begun = ast.parse(f"__arcs__ = __arcs_of__({path!r}); __at__ = -1").body
        lines = [mark for each in documented + future for mark in marker.mark(each.lineno, like)]
        others = marker.body([each for each in body if each not in future])
        tree.body = [*documented, *future, *begun, *lines, *others, *marker.mark(-1, last)]
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


builtins.__arcs_of__ = arcs_of  # type: ignore[attr-defined]
"""Marked modules begin with it, however they are run."""


class MarkingLoader(SourceFileLoader):
    """Loads a module with marks, and keeps its code beside that of modules without."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source, kept = self.get_data(path), Path(cache_from_source(path, optimization="marked"))
        head = MAGIC_NUMBER + hashlib.sha256(VERSION + source + path.encode()).digest()
        with contextlib.suppress(OSError):
            if (content := kept.read_bytes()).startswith(head):
                code: CodeType = marshal.loads(content[len(head) :])
                return code
        code = marked(source, path)
        kept.parent.mkdir(exist_ok=True)
        written = kept.with_suffix(f".{os.getpid()}")
        written.write_bytes(head + marshal.dumps(code))
        written.replace(kept)
        return code


class MarkingFinder(MetaPathFinder):
    """Finds what the other finders find, and has modules of the packages loaded with marks."""

    def __init__(self, packages: Iterable[str]) -> None:
        self.packages = frozenset(packages)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self.packages:
            return None
        others: list[Any] = [finder for finder in sys.meta_path if finder is not self]
        for finder in others:
            spec: ModuleSpec | None = finder.find_spec(fullname, path, target)
            if spec is not None and type(spec.loader) is SourceFileLoader:
                spec.loader = MarkingLoader(spec.loader.name, spec.loader.path)
                return spec
        return None  # a namespace, or nothing; the next finder says which


def install(packages: Iterable[str]) -> None:
    """From now on, modules of the packages are loaded with marks, whatever finders there are."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, MarkingFinder)]
    sys.meta_path[:] = [MarkingFinder(packages), *others]


def is_installed() -> bool:
    """Whether modules are loaded with marks in this process."""
    return any(isinstance(finder, MarkingFinder) for finder in sys.meta_path)
