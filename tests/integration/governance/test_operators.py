"""What an operator does alone on the server, and a person on a page could not, is on record and named as such."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from governance.audit.models import AuditEvent
from governance.people.actions import people
from tests.architecture.tree import ROOT
from tests.factories.people import Cast
from tests.factories.tickets import make_site

Run = Callable[[], object]


def _link_account() -> None:
    make_site(now=timezone.now())
    call_command("link_jira_account", "author", "5b10")


ALONE: Mapping[str, tuple[Run, set[str]]] = {
    "grant": (lambda: call_command("grant", "author", "admin"), {"role.granted"}),
    "create_token": (lambda: call_command("create_token", "reviewer_one"), {"token.created"}),
    "prepare": (
        lambda: call_command("prepare"),
        {f"{word}.{step}" for word in ("policy", "checklist", "catalog") for step in ("drafted", "published")},
    ),
    "link_jira_account": (_link_account, {"person.identified"}),
    "changepassword": (lambda: call_command("changepassword", "finance", verbosity=0), {"password.reset"}),
    "createsuperuser": (
        lambda: call_command("createsuperuser", "--noinput", username="ada", email="", verbosity=0),
        {"admin_access.given"},
    ),
}
"""Commands for what takes a second person, or another role, on the pages."""
OTHERS = {
    "add_ticket_site": "one administrator may do the same on a page",
    "audit": "reads",
    "backtest": "reads",
    "backup": "reads",
    "bench_role": "may do nothing that a person decides: a role of the database with fewer privileges",
    "confirm_clock": "looks at a clock, which no page shows",
    "load_test": "by a person who may, from a command",
    "read_bill": "one person may do the same on a page",
    "reconcile_tickets": "compares with the tracker, as every night",
    "restore": "into an empty database alone",
    "revoke_tokens": "takes away",
    "tick": "what is due",
    "up": "starts processes",
    "write_feed": "reads",
}


def test_every_command_is_judged() -> None:
    packages = ("governance", "benchmarking", "reviews")
    found = [path for name in packages for path in (ROOT / name).rglob("management/commands/*.py")]
    commands = {Path(path).stem for path in found} - {"__init__"}
    assert commands == (set(ALONE) | set(OTHERS)) - {"changepassword", "createsuperuser"}


@pytest.mark.parametrize("command", ALONE)
def test_an_operator_is_named(cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: "a longer horse battery")
    before = AuditEvent.objects.count()
    run, kinds = ALONE[command]
    run()
    events = list(AuditEvent.objects.filter(position__gt=before))
    assert {event.kind for event in events} == kinds
    assert {(event.actor, event.source, event.reason) for event in events} == {("system", "command", people.ALONE)}
