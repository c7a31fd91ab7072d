"""The only reader of environment variables: each has a name, a type, a default and a meaning.

`VARIABLES` is what `docs/reference/settings.md` is generated from.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import environs
from environs import validate

from weighbridge.core import masking

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


@dataclass(frozen=True)
class Variable:
    """One environment variable: what it is called, what it holds, and what happens without it."""

    name: str
    kind: str
    default: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "WEIGHBRIDGE_VAR", "folder", "var", "Where run-time files lie: database, broker, artifacts, keys, packets."
    ),
    Variable("WEIGHBRIDGE_DEBUG", "yes/no", "no", "Django's debug pages. Never in production."),
    Variable("WEIGHBRIDGE_SECRET_KEY", "secret", "made under var/keys", "Django's secret key. Production must set it."),
    Variable(
        "WEIGHBRIDGE_SIGNING_KEY", "file", "made under var/keys", "Ed25519 private key (PEM) that signs authorizations."
    ),
    Variable(
        "WEIGHBRIDGE_HOSTS", "names, comma separated", "localhost,127.0.0.1", "Host names the application answers to."
    ),
    Variable(
        "WEIGHBRIDGE_BASE_URL",
        "URL",
        "http://127.0.0.1:8000",
        "How people reach the application; used in tickets and packets.",
    ),
    Variable(
        "WEIGHBRIDGE_REQUIRE_MFA",
        "yes/no",
        "no",
        "Whoever approves, spends or administers needs a second factor, and confirms with it before each vote.",
    ),
    Variable(
        "WEIGHBRIDGE_PROXIES",
        "whole number",
        "0",
        "Reverse proxies in front of the web process; with 0, X-Forwarded-For is believed from nobody.",
    ),
    Variable("WEIGHBRIDGE_UPLOAD_MB", "whole number", "2048", "Largest model file accepted, in MB."),
    Variable(
        "WEIGHBRIDGE_INSTANCE",
        "short name",
        "wb",
        "Names this installation inside Jira labels; differs between test and production.",
    ),
    Variable(
        "WEIGHBRIDGE_LEASE_S", "seconds", "60", "How long a worker may be silent before its job is given to another."
    ),
    Variable(
        "WEIGHBRIDGE_EFFECT_LEASE_S",
        "seconds",
        "150",
        "The same for one effect outside, for example opening a ticket; longer than its time-outs add up to.",
    ),
    Variable("WEIGHBRIDGE_RUN_WALL_S", "seconds", "900", "Longest time one benchmark run may take."),
    Variable(
        "WEIGHBRIDGE_BILLS_FOLDER",
        "folder",
        "none: nothing is watched",
        "Folder whose files are read as bills in the FOCUS format once they have lain still for a minute.",
    ),
    Variable(
        "WEIGHBRIDGE_LOAD_TARGETS",
        "HOST or HOST=NETWORK, comma separated",
        "none: no load tests",
        "Machines that load tests of workers may call; NETWORK is a private one that HOST may point into.",
    ),
    Variable("WEIGHBRIDGE_RUN_MEMORY_MB", "whole number", "4096", "Address space a benchmarked model may use, in MB."),
    Variable(
        "DATABASE_URL",
        "URL",
        "PostgreSQL 18 under var/postgres",
        "postgresql://user:password@host:5432/name; PostgreSQL 15 or later.",
    ),
    Variable(
        "BROKER_URL",
        "URL",
        "files under var/broker",
        "Celery broker: redis://… or amqp://…; unset uses the filesystem transport.",
    ),
    Variable("JIRA_URL", "URL", "none: tickets wait", "Base URL of Jira, for example https://example.atlassian.net."),
    Variable("JIRA_EMAIL", "text", "", "The account tickets are opened with."),
    Variable("JIRA_TOKEN", "secret", "", "API token of that account."),
    Variable("JIRA_PROJECT", "key", "MR", "Project key tickets are opened in."),
    Variable("JIRA_ISSUE_TYPE", "name", "Task", "Issue type of tickets."),
    Variable(
        "JIRA_FIELDS", "JSON object", "{}", "Further fields to send at creation, for example required custom fields."
    ),
    Variable(
        "JIRA_STATUSES",
        "JSON object",
        '{"evidence": "In Progress", …}',
        "Jira status wanted for each state of a request.",
    ),
    Variable(
        "JIRA_SETTLE_S",
        "seconds",
        "45",
        "How long Jira's search may lag behind; waited before an unknown creation is searched for.",
    ),
    Variable(
        "JIRA_WEBHOOK_SECRETS",
        "secret",
        "none: deliveries are refused",
        "Secrets of Jira's webhook, comma separated: while one is replaced, the old and the new are both good.",
    ),
    Variable(
        "JIRA_MOVES",
        "JSON object",
        """{"Won't Do": "withdraw", "In Progress": "acknowledge", …}""",
        "What a move in Jira to a status asks for: withdraw, acknowledge, or none.",
    ),
    Variable(
        "JIRA_NIGHTLY",
        "pull, push, report or never",
        "pull",
        "What the nightly comparison of all tickets does with a difference.",
    ),
    Variable(
        "OIDC_SERVER_URL", "URL", "none: local accounts", "Issuer of an OpenID Connect provider people log in with."
    ),
    Variable("OIDC_CLIENT_ID", "text", "", "Client identifier at that provider."),
    Variable("OIDC_CLIENT_SECRET", "secret", "", "Client secret at that provider."),
    Variable("OIDC_NAME", "text", "Single sign-on", "What the log-in button says."),
    Variable("WEIGHBRIDGE_SESSION_IDLE_MIN", "number", "480", "Minutes without a click after which a session ends."),
    Variable(
        "WEIGHBRIDGE_SESSION_MAX_H",
        "number",
        "168",
        "Hours after the log-in after which a session ends, whatever is clicked.",
    ),
    Variable(
        "EMAIL_URL",
        "URL",
        "printed at the console",
        "smtp://user:password@host:25 for mail; with it people are told when the ways into their account change.",
    ),
)
_BY_NAME: Mapping[str, Variable] = {variable.name: variable for variable in VARIABLES}
_ENVIRONMENT = environs.Env()


class MissingVariable(SystemExit):
    """A variable is unset and has no default, or holds what it must not hold; the message says what to do."""


def text(name: str, default: str | None = None) -> str:
    """The value of `name`, or its default; exits with a sentence when it has neither."""
    return _read(_ENVIRONMENT.str, name, default)


def flag(name: str) -> bool:
    """True for yes, true, on and 1; False for their opposites and when unset; exits with a sentence otherwise."""
    return _read(_ENVIRONMENT.bool, name, False)


def number(name: str) -> int:
    """A whole number; exits with a sentence when it is none."""
    parse = partial(_ENVIRONMENT.int, validate=validate.Range(min=0))
    return _read(parse, name, int(_BY_NAME[name].default))


def names(name: str, default: list[str] | None = None) -> list[str]:
    """The parts of a comma-separated list, or the default; exits with a sentence when it has neither."""
    return [part for part in _read(_ENVIRONMENT.list, name, default) if part.strip()]


def json_object(name: str) -> dict[str, Any]:
    """A JSON object; exits with a sentence when it is none."""
    return _read(partial(_ENVIRONMENT.json, validate=_check_object), name, {})


def _read(parse: Callable[[str], Any], name: str, default: T | None) -> T:
    """What `parse` makes of the variable; an empty variable counts as an unset one."""
    variable, value = _BY_NAME[name], os.environ.get(name, "")
    if value:
        _learn(variable.kind, value)
        return cast("T", _parsed(parse, variable))
    if default is None:
        raise MissingVariable(f"{name} is not set. {variable.meaning} Set it in the environment and start again.")
    return default


def _parsed(parse: Callable[[str], Any], variable: Variable) -> Any:
    try:
        return parse(variable.name)
    except environs.EnvValidationError as error:
        reasons = " ".join(str(reason) for reason in error.error_messages)
        raise MissingVariable(
            f"{variable.name} must hold: {variable.kind}. {reasons} Correct it in the environment and start again."
        ) from error


def _learn(kind: str, value: str) -> None:
    """What a variable keeps secret is hidden from logs and reasons from the moment it is read."""
    if kind == "secret":
        masking.learn(value, *value.split(","))
    if kind == "URL":
        masking.learn_from_url(value)


def _check_object(value: object) -> None:
    if not isinstance(value, dict):
        raise environs.ValidationError("Not a JSON object.")


def tell_polars() -> None:
    """How many groups Polars keeps at hand; it reads this when it is imported.

    Rows of a bill come in order of time, so neighbors seldom share a line: in the usual table of a few thousand recent
    groups nearly every row would push out another, and what is pushed out is kept, up to gigabytes of it.
    """
    os.environ.setdefault("POLARS_HOT_TABLE_SIZE", str(2**17))


def folder() -> Path:
    """The folder of run-time files, made when missing."""
    # The folder of installed packages is no place for data.
    home = ROOT if (ROOT / "manage.py").exists() else Path.cwd()
    path = Path(text("WEIGHBRIDGE_VAR", str(home / "var"))).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path
