"""A write is one function in `actions/`: keyword-only, `by=` and `now=`; the rules take keywords too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import APPS, ROOT, TOOLKIT, layers, name_of, parsed, sources, subjects

# Jobs are taken, renewed and ended by workers; nobody acts. People's own steps there (`cancel`, `retry`) name `by`.
BY_WORKERS = "governance/jobs/actions.py"
NO_WRITES = {
    BY_WORKERS: {"wake_for"},  # a signal after commit
    "governance/audit/actions/record.py": {"origin"},  # the trail's own context
    "governance/inventory/actions/stored_files.py": {"name_of", "in_bucket", "problem_of"},  # reads
}
# They take name and meaning first, as every metric of prometheus_client does.
LIKE_PROMETHEUS = {"governance/operations/queries.py": {"counted", "attempts", "ages", "spread"}}

# Rows that most writes refer to without locking them. The database locks their keys at the end of each such write, when
# it holds the head of the audit chain, so nobody may hold these keys and wait for the head.
REFERRED_TO = re.compile(
    r"\b(?:User|Team|ModelAsset|TicketSite|TicketRoute)\.objects\.select_for_update\((?!.*no_key=True)"
)


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))


def missing(function: ast.FunctionDef, *, needed: tuple[str, ...] = ("by", "now")) -> list[str]:
    """What the signature of a write lacks."""
    names = {argument.arg for argument in function.args.kwonlyargs}
    lacks = [f"no {name}=" for name in needed if name not in names]
    return lacks + ["positional arguments"] * bool(function.args.args or function.args.posonlyargs)


def positional(function: ast.FunctionDef) -> int:
    return len(function.args.args) + len(function.args.posonlyargs)


def action_modules() -> list[Path]:
    return [path for path in layers("actions") if path.name != "__init__.py"]


def writes() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every write of every subject, with its file."""
    for path in action_modules():
        for function in public_functions(parsed(path)):
            if function.name not in NO_WRITES.get(name_of(path), ()):
                yield name_of(path), function


def test_every_subject_is_looked_at() -> None:
    acting = {tuple(name_of(path).split("/")[:2]) for path in action_modules()}
    holding = {
        (app, subject) for app in APPS for subject in subjects(app) if list((ROOT / app / subject).rglob("actions*"))
    }
    assert len(acting) > 15
    assert acting == holding


def test_an_incomplete_signature_is_seen() -> None:
    (function,) = public_functions(ast.parse("def cast(vote, *, by): ..."))
    assert missing(function) == ["no now=", "positional arguments"]
    (function,) = public_functions(ast.parse("def cast(*, vote, by, now): ...\ndef _own(x): ..."))
    assert missing(function) == []


def test_every_write_is_keyword_only_and_takes_by_and_now() -> None:
    lacking = [
        f"{name}: {function.name} has {', '.join(lacks)}"
        for name, function in writes()
        if (lacks := missing(function, needed=("now",) if name == BY_WORKERS else ("by", "now")))
    ]
    assert lacking == []
    assert len(list(writes())) > 100


def test_what_is_let_be_is_there() -> None:
    for name, functions in {**NO_WRITES, **LIKE_PROMETHEUS}.items():
        assert functions <= {function.name for function in public_functions(parsed(ROOT / name))}


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
        for path in layers("queries")
        for function in public_functions(parsed(path))
        if positional(function) > 1 and function.name not in LIKE_PROMETHEUS.get(name_of(path), ())
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
    inner = ("domain", "ports", "enums", "models", "rules", "queries", "kinds", "locking", "audit", "actions", "outbox")
    files = [*layers(*inner), *sources(TOOLKIT)]
    assert [f"{name_of(path)}:{line}" for path in files for line in reads_the_clock(parsed(path))] == []


def acts_as_the_installation(tree: ast.AST) -> list[int]:
    """Lines of calls that say `by=None`: what an operator on the server does without a second person."""
    return [
        keyword.value.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "by" and isinstance(keyword.value, ast.Constant) and keyword.value.value is None
    ]


def test_nothing_that_people_reach_acts_as_the_installation() -> None:
    assert acts_as_the_installation(ast.parse("grant_role(user=u,\n by=None)\ngrant_role(user=u, by=me)")) == [2]
    files = layers("web", "api", "admin")
    assert len(files) > 60
    listens = {"governance/accounts/web/attempts.py"}  # whoever was refused at log-in is nobody yet
    found = {name_of(path): acts_as_the_installation(parsed(path)) for path in files if name_of(path) not in listens}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_people_teams_and_models_are_locked_without_their_keys() -> None:
    assert REFERRED_TO.search("User.objects.select_for_update().get()")
    assert REFERRED_TO.search('Team.objects.select_for_update(of=("self",)).get()')
    assert not REFERRED_TO.search('ModelAsset.objects.select_for_update(of=("self",), no_key=True).get()')
    assert [name_of(path) for path in sources() if REFERRED_TO.search(path.read_text())] == []
