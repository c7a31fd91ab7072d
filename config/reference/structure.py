"""Generate the pages about the structure of the code and its network calls."""

import ast
import tomllib
from collections.abc import Iterable
from pathlib import Path

from config import env
from config.reference.tables import code, page, table

TOOLKIT = "benchmarking/toolkit/src/weighbridge"
PACKAGES = ("reviews", "benchmarking", "governance")
INTRODUCTION = """\
Imports go in one direction only: **config → reviews → benchmarking → governance → weighbridge** (the toolkit). A
package is divided into subjects; each subject is a Django app. A subject imports only from subjects below it in these
tables; its modules import only from modules below them. `pyproject.toml` defines this order, `lint-imports` checks it
in `make check`, and [decision record 15](../adr/0015-subjects-first.md) gives the reasons."""
INSIDE = """\
All subjects have the same structure. Each entry is a module, or a folder if it is large, and exists only if needed. A
module imports only from modules further down in this table."""
MODULES = {
    "urls": "URLs of its pages.",
    "api_urls": "URLs of its API.",
    "admin": "Django's admin: all tables, read-only.",
    "templatetags": "Template tags and filters.",
    "web": "Views of pages. They only convert data and decide nothing.",
    "api": "Views of the API. They only convert data and decide nothing.",
    "tasks": "Tasks of workers and the tick: build adapters from settings and call one action.",
    "management": "Commands for operators, in `management/commands/`.",
    "serializers": "Serializers of its API that other subjects use too.",
    "jira": "The adapter for Jira, in one folder that can be deleted.",
    "printing": "The adapter that prints a PDF.",
    "mail": "The adapter that sends mail.",
    "webhooks": "The adapter that calls webhooks.",
    "ticks": "Periodic work: what is due at a tick, and what is enqueued each hour and day.",
    "outbox": "External effects, stored as rows and delivered after the transaction.",
    "actions": "All writes: keyword-only arguments, `by=`, `now=`, one transaction that includes the audit event.",
    "worker_signals": "Signals that wake a worker; a lost signal loses no work.",
    "signs_of_life": "Signs of life of workers, and leases that are renewed while a job runs.",
    "locking": "The order in which rows are locked.",
    "channels": "Which messages to the same external system wait for each other after a refusal.",
    "audit": "Audit events of the subject.",
    "kinds": "Definitions of kinds of jobs and of changes.",
    "queries": "Reads, as frozen dataclasses.",
    "rules": "Permissions: `check_x` raises with a reason, `may_x` returns a boolean.",
    "models": "Tables and their constraints.",
    "charts": "Charts, drawn with the chart package of the toolkit.",
    "domain": "Pure rules: functions of their arguments, no framework, no clock.",
    "ports": "Protocols of external systems that the subject needs.",
    "enums": "Enumerations that are stored in the database.",
    "approvals": "Changes that need two people: a part of `governance/people/` with modules of its own.",
}
WHERE = {
    "The formula for the cost of one year": (
        f"`{TOOLKIT}/costs/yearly_costs.py` adds up the parts in `{TOOLKIT}/costs/parts/`;"
        f" `{TOOLKIT}/costs/projection.py` computes the distribution"
    ),
    "When a review is mandatory": (
        "`governance/rulebook/domain/evaluation/policies.py` evaluates the policy of"
        " `governance/rulebook/domain/policy.py`"
    ),
    "What blocks a step": (
        "`reviews/snapshots/queries/allowed_steps.py`, one guard for each step;"
        " `reviews/voting/queries/review_blockers.py` lists the review blockers of a request"
    ),
    "The state machine": "`reviews/requests/domain/lifecycle.py`, drawn on [its page](lifecycle.md)",
    "Who may approve": (
        "`reviews/voting/domain/electorate.py`; the current voters: `reviews/voting/queries/electorate.py`; roles:"
        " `governance/people/domain/roles.py`; changes that need two people: `governance/people/approvals/kinds.py`"
    ),
    "All functions that write data": (
        "what people decide: the functions in `actions` of every subject, `*/**/actions.py` and `*/**/actions/`;"
        " the state of jobs and deliveries: `governance/jobs/models.py` and `governance/jobs/outbox.py`;"
        " repeated calls of the API: `governance/site/api/idempotency.py`; the last use of a token:"
        " `governance/people/api/authentication.py`; personal notes: `reviews/notes/models.py`"
    ),
    "How the bounds of p95 are calculated": (
        f"in a profile: `serial_percentile_interval` in `{TOOLKIT}/statistics/percentile_intervals.py`;"
        f" in a load test: `percentile_intervals` in `{TOOLKIT}/load/results/intervals.py`"
    ),
    "Where a Jira ticket is created": (
        "`open_ticket` in `reviews/tickets/actions.py` writes the outbox row,"
        " `reviews/ticket_sync/tasks.py` delivers it, `reviews/tickets/jira/tracker.py` calls Jira"
    ),
    "How a bill line is allocated to a model": (
        "`governance/bills/domain/allocation/rules.py` defines the rules, `assign` in"
        " `governance/bills/actions/allocation.py` applies them, `governance/bills/queries/spend.py` sums the lines"
        " by model, `governance/bills/actions/month_postings.py` posts the sums to budgets"
    ),
    "How the gate answers": (
        "`decide` in `reviews/feed/queries/gate.py`; called by `reviews/workflow/api/authorizations.py`,"
        f" which `{TOOLKIT}/client/gate.py` asks over HTTP"
    ),
    "How a metric is added": (
        f"one entry of `STANDARD` in `{TOOLKIT}/core/metrics/standard.py`; see [Contributing](../contributing.md)"
    ),
    "How a system under test is added": f"one module in `{TOOLKIT}/systems/`, registered by name",
    "How a kind of job is added": "one `JobKind` of `governance/jobs/kinds.py`, registered beside its writes",
    "What is sent to other machines": "[network calls](network-calls.md)",
    "How to run it": (
        "`make run` here; `governance/operations/management/commands/up.py` starts web, workers and tick;"
        " [in production](../how-to/run-in-production.md); [settings](settings.md)"
    ),
}
SENDERS = {
    "config/artifact_storage/bucket.py": "Artifacts, to and from the bucket that `WEIGHBRIDGE_ARTIFACTS` names.",
    "reviews/tickets/jira/": (
        "Tickets, comments and states, to and from Jira. With OAuth, these go to `api.atlassian.com`, and the app of"
        " the organization signs in at `auth.atlassian.com`."
    ),
    "governance/accounts/mail.py": "Mail to the owner of an account whose log-in methods have changed.",
    "governance/jobs/mail.py": "Each mail of the application.",
    "governance/notifications/mail.py": "Mail that tells people what happened, at once or once a day.",
    "governance/notifications/webhooks/": "Messages to the Slack, Teams and signed webhooks that a team has.",
    "reviews/quarterly/mail.py": "Mail that invites people to a quarterly meeting.",
    "governance/operations/management/stack.py": "`manage.py up` checks that its own server responds, on this machine.",
    f"{TOOLKIT}/client/server.py": "The command line calls a Weighbridge server: gate, requests, evidence.",
    f"{TOOLKIT}/core/parsing/http_answers.py": "Nothing; it reads the answers to what others send, under limits.",
    f"{TOOLKIT}/client/integrations/admission/server.py": "Answers the API server of a cluster, if the user runs it.",
    f"{TOOLKIT}/client/integrations/mlflow/": "Reads versions and runs from an MLflow registry, and sets aliases.",
    f"{TOOLKIT}/systems/device/": (
        "Serves the page of `weighbridge device` to those with its link; `--install` fetches a package with npm."
    ),
    f"{TOOLKIT}/systems/remote/": "Copies a model and data to the machine that `profile --on` names, with ssh.",
    f"{TOOLKIT}/systems/endpoint.py": "Profiles an endpoint that its caller names and allows.",
    f"{TOOLKIT}/systems/external/http_json.py": "Sends rows to a model behind HTTP that its caller names.",
    f"{TOOLKIT}/load/target.py": "Resolves the address of an endpoint under load and checks that it is allowed.",
    f"{TOOLKIT}/load/generator": "Sends a load test's requests to that endpoint.",
    f"{TOOLKIT}/load/chat/tokenize.py": "Asks that endpoint, if the user wants it, how many tokens an answer has.",
    f"{TOOLKIT}/client/trackers/mlflow.py": "Logs results to MLflow and reads runs back, if the user asks for it.",
    f"{TOOLKIT}/client/trackers/wandb.py": "Logs results to Weights & Biases, if the user asks for it.",
}
"""Every module that can send something to another machine; `tests/architecture/test_effects.py` finds any other."""
DISTRIBUTION = f"""\
`{TOOLKIT}/` is a distribution of its own: `pip install ./benchmarking/toolkit` needs no Django and no database. Its \
`__init__.py` exports its public functions."""
OUTSIDE = """\
No other module sends data to another machine; `tests/architecture/test_effects.py` checks every module against this
table. What the server must send is first stored as a row: `governance/jobs/outbox.py`. Libraries connect to the systems
in the [settings](settings.md): the database, the broker, the mail server and the sign-on provider. There is no
telemetry, and pages load nothing from other sites."""


def structure() -> str:
    """The page text."""
    parts = [INTRODUCTION, "## Where to find what", table(("Question", "Answer"), WHERE.items())]
    for package in PACKAGES:
        subjects = ((f"{package}/{name}/", env.ROOT / package / name / "__init__.py") for name in _layers(package))
        parts += [f"## {package}", purpose(env.ROOT / package / "__init__.py"), _purposes("Subject", subjects)]
    modules = ((code(name), MODULES[name]) for name in (*_layers("subject"), "approvals"))
    parts += ["## Inside a subject", INSIDE, table(("Module", "Contents"), modules)]
    packages = sorted((env.ROOT / TOOLKIT).glob("*/__init__.py"))
    toolkit = ((f"weighbridge.{package.parent.name}", package) for package in packages)
    return page("Structure", *parts, "## The toolkit", DISTRIBUTION, _purposes("Part", toolkit))


def network_calls() -> str:
    """The text of the page about everything that leaves the machine."""
    senders = ((code(name), what) for name, what in SENDERS.items())
    return page(
        "Network calls",
        "These modules, and no others, send data to other machines.",
        table(("Module", "What it sends"), senders),
        OUTSIDE,
    )


def _purposes(head: str, modules: Iterable[tuple[str, Path]]) -> str:
    return table((head, "Purpose"), ((code(name), purpose(path)) for name, path in modules))


def _layers(contract: str) -> list[str]:
    """The layers of an import contract, topmost first."""
    contracts = tomllib.loads((env.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(item["layers"] for item in contracts if item["id"] == contract)
    return [name for layer in layers for name in layer.replace("(", "").replace(")", "").replace(":", "|").split(" | ")]


def purpose(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
    return " ".join(first.split())
