"""The page of the structure: subjects in import order, what lies inside one, and where an answer is found."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from config import env
from config.reference.tables import code, page, table

TOOLKIT = "benchmarking/toolkit/src/weighbridge"
PACKAGES = ("reviews", "benchmarking", "governance")
INTRODUCTION = """\
Imports go one way: **config → reviews → benchmarking → governance → weighbridge** (the toolkit), never back. A package
is sorted by subject, each a Django app of its own; a subject imports from those below it in these tables and inside it
only downwards. `pyproject.toml` holds this order, `lint-imports` checks it in `make check`, and
[decision record 15](../adr/0015-subjects-first.md) says why."""
INSIDE = """\
Whoever knows one subject knows all. A room is a module, and a folder once it is large; each is there only where it is
needed. A module imports from rooms further down, never from those above."""
ROOMS = {
    "urls": "Addresses of its pages.",
    "api_urls": "Addresses of its answers to programs.",
    "admin": "Django's admin: everything read-only.",
    "templatetags": "Tags and filters of templates.",
    "web": "Pages. They translate and decide nothing.",
    "api": "Answers to programs. They translate and decide nothing.",
    "tasks": "Work of a worker or of the tick: it builds adapters from settings and calls one action.",
    "management": "Commands for operators, in `management/commands/`.",
    "serializers": "The form of answers that several subjects give.",
    "jira": "The adapter of one outside system, in one folder that can be deleted.",
    "in_memory": "The stand-in of an adapter, for tests and the demo.",
    "opening": "The order of look and leap that opens one ticket for one request.",
    "printing": "The adapter that prints a PDF.",
    "outbox": "Effects outside, kept as rows and delivered after the transaction.",
    "actions": "Every write: keyword-only, `by=`, `now=`, one transaction, audited inside it.",
    "worker_signals": "Signals that wake a worker; losing one loses nothing.",
    "locking": "The order in which rows are locked.",
    "audit": "What the subject puts on the trail.",
    "kinds": "Kinds that register themselves with a mechanism.",
    "queries": "Reads, as frozen dataclasses.",
    "rules": "Who may do what: `check_x` raises with a reason, `may_x` answers.",
    "models": "Tables, and the constraints the database holds.",
    "charts": "Pictures, drawn by the toolkit's one chart kit.",
    "domain": "Pure rules: functions of their arguments, no framework, no clock.",
    "ports": "What the subject needs from outside, as protocols.",
    "enums": "Closed vocabularies that the database stores.",
    "approvals": "Changes that take two people: a part of `governance/people/` with rooms of its own.",
}
WHERE = {
    "The formula of what one year costs": (
        f"`{TOOLKIT}/costs/evaluation.py` puts the parts of `{TOOLKIT}/costs/parts/` together;"
        f" `{TOOLKIT}/costs/projection.py` makes a distribution of them"
    ),
    "When review is mandatory": (
        "`governance/rulebook/domain/evaluation.py` evaluates the policy of `governance/rulebook/domain/policy.py`"
    ),
    "What blocks a step": (
        "`reviews/snapshots/queries/allowed_steps.py`, one guard for each step;"
        " `reviews/voting/queries/review_blockers.py` lists what stands between a request and its review"
    ),
    "The state machine": "`reviews/requests/domain/lifecycle.py`, drawn on [its page](lifecycle.md)",
    "Who may approve": (
        "`reviews/voting/domain.py`; who that is now: `reviews/voting/queries/electorate.py`; roles:"
        " `governance/people/domain/roles.py`; changes by two people: `governance/people/approvals/kinds.py`"
    ),
    "Everything that can change": "the functions of `actions` in every subject: `*/*/actions.py`, `*/*/actions/*.py`",
    "How p95 is bounded": f"`serial_percentile_interval` in `{TOOLKIT}/statistics/resampling.py`",
    "Where a Jira ticket is created": (
        "`open_ticket` in `reviews/tickets/actions.py` writes the outbox row, `reviews/inbound/tasks.py` delivers it,"
        " `reviews/tickets/jira/tracker.py` speaks to Jira"
    ),
    "Where a bill line becomes money on a model": (
        "`governance/bills/domain/allocation.py` says whose a line is, `governance/bills/actions/bills.py` stores it,"
        " `governance/bills/actions/month_postings.py` posts months to budgets"
    ),
    "How the gate answers": (
        "`ask` in `reviews/authorizations/queries/gate.py`; asked through `reviews/workflow/api/authorizations.py` and"
        f" `{TOOLKIT}/client/gate.py`"
    ),
    "How a metric is added": (
        f"one entry of `CATALOG` in `{TOOLKIT}/core/catalog.py`; the recipe: [Contributing](../contributing.md)"
    ),
    "How a system under test is added": f"one module in `{TOOLKIT}/systems/`, registered by name",
    "How a kind of job is added": "one `JobKind` of `governance/jobs/kinds.py`, registered where its writes live",
    "How it is run": (
        "`make run` here; `governance/operations/management/commands/up.py` starts web, worker and clock;"
        " [in production](../how-to/run-in-production.md); [settings](settings.md)"
    ),
}
LEAVES = {
    "reviews/tickets/jira/": "Tickets, comments and states, to and from Jira.",
    "governance/accounts/tasks.py": "Mail to the owner of an account whose ways in have changed.",
    "reviews/quarterly/tasks.py": "Mail that invites people to a quarterly meeting.",
    "governance/operations/management/stack.py": "`manage.py up` asks the server it started whether it answers, on this"
    " machine.",
    f"{TOOLKIT}/client/server.py": "The command line asks a Weighbridge server: gate, requests, evidence.",
    f"{TOOLKIT}/systems/endpoint.py": "Profiles an endpoint that its caller names and allows.",
    f"{TOOLKIT}/load/target.py": "Finds the address of an endpoint under load, once, and refuses what was not allowed.",
    f"{TOOLKIT}/load/generator/engine.py": "Sends a load test's requests to that endpoint.",
    f"{TOOLKIT}/trackers/mlflow.py": "Logs results to MLflow and reads runs back, where its user asks for it.",
    f"{TOOLKIT}/trackers/wandb.py": "Logs results to Weights & Biases, where its user asks for it.",
}
"""Every module that can send something to another machine; `tests/architecture/test_effects.py` finds any other."""
OUTSIDE = """\
Nothing else sends anything anywhere; `tests/architecture/test_effects.py` reads every module and fails on one that is
not in this table. Libraries reach what the [settings](settings.md) name: the database, the broker, the mail server and
the sign-on provider. There is no telemetry, and pages load nothing from another site."""


def structure() -> str:
    """Every subject in import order, the rooms inside one, the toolkit's parts, and where an answer is found."""
    parts = [
        INTRODUCTION,
        "## Where is it?",
        table(("Question", "Answer"), WHERE.items()),
        "## What leaves the machine",
    ]
    parts += [table(("Module", "What it sends"), ((code(name), what) for name, what in LEAVES.items())), OUTSIDE]
    for package in PACKAGES:
        parts += [f"## {package}", purpose(env.ROOT / package / "__init__.py")]
        parts.append(table(("Subject", "What it is for"), _subjects(package)))
    parts += ["## Inside a subject", INSIDE, table(("Room", "What it holds"), _rooms())]
    parts += ["## The toolkit", _toolkit(), table(("Part", "What it is for"), _parts_of_toolkit())]
    return page("Structure", *parts)


def _subjects(package: str) -> Iterator[tuple[str, str]]:
    for name in _layers(package):
        yield code(f"{package}/{name}/"), purpose(env.ROOT / package / name / "__init__.py")


def _rooms() -> Iterator[tuple[str, str]]:
    return ((code(name), ROOMS[name]) for name in (*_layers("subject"), "approvals"))


def _layers(contract: str) -> list[str]:
    """Names of an import contract, the topmost first."""
    contracts = tomllib.loads((env.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(each["layers"] for each in contracts if each["id"] == contract)
    return [name for layer in layers for name in layer.replace("(", "").replace(")", "").replace(":", "|").split(" | ")]


def _toolkit() -> str:
    return (
        f"`{TOOLKIT}/` is a distribution of its own: `pip install ./benchmarking/toolkit` needs no Django and no"
        " database. Its public functions stand in its `__init__.py`."
    )


def _parts_of_toolkit() -> Iterator[tuple[str, str]]:
    for package in sorted((env.ROOT / TOOLKIT).glob("*/__init__.py")):
        yield code(f"weighbridge.{package.parent.name}"), purpose(package)


def purpose(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
    return " ".join(first.split())
