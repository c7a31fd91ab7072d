"""The commands of an operator: what they change, what they print, and how they refuse."""

import hashlib
import io
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.jobs.management.commands import tick
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Role
from governance.people.models import ApiToken, RoleGrant, Team
from governance.people.queries.people import person_of
from governance.rulebook.domain import defaults
from governance.rulebook.models import CatalogVersion, ChecklistVersion, PolicyVersion
from tests.factories.people import Cast
from weighbridge.core import attestation


def run(*words: str) -> tuple[str, str]:
    """What the command printed and what it complained of."""
    out, complaints = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=complaints, no_color=True)
    return out.getvalue(), complaints.getvalue()


# audit


def test_an_empty_trail_is_whole(db: None) -> None:
    assert run("audit", "verify") == ("0 events, chain unbroken, head empty. Checkpoints: 0, none contradicted.\n", "")


def test_a_whole_trail_is_told_with_its_head(cast: Cast) -> None:
    head = AuditEvent.objects.latest("position")
    assert run("audit", "verify") == (
        f"{head.position} events, chain unbroken, head {head.hash}. Checkpoints: 0, none contradicted.\n",
        "",
    )


def test_a_changed_row_is_named_and_the_exit_status_is_1(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER append_only")
        cursor.execute("UPDATE audit_auditevent SET actor = 'nobody' WHERE position = 5")
    complaints = io.StringIO()
    with pytest.raises(SystemExit) as leaving:
        call_command("audit", "verify", stderr=complaints, no_color=True)
    assert leaving.value.code == 1
    assert complaints.getvalue() == (
        "The chain is broken at event 5: does not match its own hash: its content was changed\n"
    )


def test_nothing_but_verify_can_be_asked(db: None) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'repair'"):
        run("audit", "repair")


# create_token


def test_a_token_is_printed_and_kept_nowhere(cast: Cast) -> None:
    before = timezone.now()
    out, _ = run("create_token", "author", "--days", "7")
    row = ApiToken.objects.get()
    assert row.digest == hashlib.sha256(out.strip().encode()).hexdigest()
    assert row.user == cast.author
    assert row.expires_at is not None
    assert timedelta(0) <= row.expires_at - before - timedelta(days=7) < timedelta(minutes=1)
    assert AuditEvent.objects.latest("position").source == "command"


def test_a_token_is_valid_for_ninety_days_unless_said_otherwise(cast: Cast) -> None:
    run("create_token", "author")
    row = ApiToken.objects.get()
    assert row.expires_at == row.created_at + timedelta(days=90)
    assert row.scope == "write"


@pytest.mark.parametrize("scope", ["read", "write", "gate"])
def test_a_token_is_for_what_was_asked(cast: Cast, scope: str) -> None:
    run("create_token", "author", "--scope", scope)
    assert ApiToken.objects.get().scope == scope


@pytest.mark.parametrize("is_known", [False, True])
def test_there_is_no_token_of_nobody_nor_of_somebody_who_left(cast: Cast, is_known: bool) -> None:
    cast.author.is_active = False
    cast.author.save()
    name = "author" if is_known else "nobody"
    with pytest.raises(CommandError, match=f"There is no active user '{name}'. Create one with"):
        run("create_token", name)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("days", ["0", "367"])
def test_a_token_has_an_end(cast: Cast, days: str) -> None:
    with pytest.raises(CommandError, match="A token can be valid for 1 to 366 days"):
        run("create_token", "author", "--days", days)
    assert not ApiToken.objects.exists()


# grant


def test_a_role_is_granted(cast: Cast) -> None:
    assert run("grant", "author", "reviewer") == ("author is now reviewer.\n", "")
    assert person_of(cast.author).roles == {Role.REQUESTER, Role.REVIEWER}
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.source, event.actor) == ("role.granted", "command", "system")


def test_a_missing_team_is_opened(cast: Cast) -> None:
    assert run("grant", "author", "requester", "--team", "maps-eu") == ("author is now requester of maps-eu.\n", "")
    assert Team.objects.get(slug="maps-eu").name == "Maps Eu"
    assert person_of(cast.author).teams == {"search", "maps-eu"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("nobody", "admin"), "There is no user 'nobody'. Create one with"),
        (("author", "king"), "invalid choice: 'king'"),
        (("author", "requester"), "The role requester is granted for a team"),
        (("author", "admin", "--team", "maps"), "all other roles for the whole organization"),
        (("author", "requester", "--team", "two words"), "The slug of a team may contain only letters"),
    ],
)
def test_what_cannot_be_granted_leaves_nothing_behind(cast: Cast, words: tuple[str, ...], reason: str) -> None:
    before = (Team.objects.count(), RoleGrant.objects.count(), AuditEvent.objects.count())
    with pytest.raises(CommandError, match=reason):
        run("grant", *words)
    assert (Team.objects.count(), RoleGrant.objects.count(), AuditEvent.objects.count()) == before


# prepare


def test_an_installation_is_prepared_once(db: None, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.pem"
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": path}
    out, _ = run("prepare")
    policies = [name.removesuffix(".yaml").partition("/")[2] for name in defaults.names_of("policies")]
    checklists = [name.removesuffix(".yaml").partition("/")[2] for name in defaults.names_of("checklists")]
    assert {"default", "regression", "ranking", "detection", "tabular"} < set(policies)
    assert out.splitlines() == [
        f"Created the signing key {path}.",
        "Published the metric catalog metrics v1.",
        *(f"Published the checklist {name} v1." for name in checklists),
        *(f"Published the policy {name} v1." for name in policies),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert attestation.public_pem(path.read_text()).startswith("-----BEGIN PUBLIC KEY-----")
    tables = (PolicyVersion, ChecklistVersion, CatalogVersion)
    assert {state for table in tables for state in table.objects.values_list("state", flat=True)} == {"published"}
    assert set(AuditEvent.objects.values_list("source", flat=True)) == {"command"}
    key, events = path.read_bytes(), AuditEvent.objects.count()
    assert run("prepare") == ("", "")
    assert (path.read_bytes(), AuditEvent.objects.count()) == (key, events)


# tick


@pytest.fixture
def ticked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., None]], None]:
    return lambda stand_in: monkeypatch.setattr("governance.jobs.ticks.tick", stand_in)


def test_one_tick_buries_what_is_exhausted(db: None) -> None:
    now = timezone.now()
    OutboxMessage.objects.create(
        kind="x", key="x", lane="x", created_at=now, next_attempt_at=now, attempts=3, max_attempts=3
    )
    assert run("tick") == ("", "")
    assert OutboxMessage.objects.get(kind="x").state == "dead"


def test_a_tick_comes_as_a_job(db: None, ticked: Callable[[Callable[..., None]], None]) -> None:
    seen: list[str] = []
    ticked(lambda now, trusts_clock: seen.append(audit._origin.get()))
    run("tick")
    assert seen == ["job"]


def test_a_single_tick_that_fails_says_so(
    db: None, ticked: Callable[[Callable[..., None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(now: object, trusts_clock: bool) -> None:
        raise ZeroDivisionError

    ticked(fails)
    with pytest.raises(ZeroDivisionError):
        run("tick")
    assert "A tick failed" in caplog.text


def test_a_tick_that_fails_does_not_stop_the_next(
    db: None,
    ticked: Callable[[Callable[..., None]], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks: list[object] = []
    naps: list[float] = []

    def fails_once(now: object, trusts_clock: bool) -> None:
        ticks.append(now)
        if len(ticks) == 1:
            raise ZeroDivisionError

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    ticked(fails_once)
    monkeypatch.setattr(tick.time, "sleep", nap)
    monkeypatch.setattr(tick, "close_old_connections", lambda: None)  # it would end the transaction of the test
    with pytest.raises(KeyboardInterrupt):
        run("tick", "--every", "2.5")
    assert (len(ticks), naps) == (3, [2.5, 2.5, 2.5])
    assert caplog.text.count("A tick failed. The next tick will try again.") == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,), "another tick could not take over while this process goes on"
