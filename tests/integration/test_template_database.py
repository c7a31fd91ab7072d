"""Test databases are copies of a template that is migrated once, also when two runs start at once."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from config.env import ROOT
from tests import template_database
from tests.template_database import PREFIX, imported, name_of, prepared, present_migrations

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINE = f"weighbridge_trial_{os.getpid()}"


def databases() -> dict[str, str | None]:
    """Name -> when it was used last, for the templates of these tests."""
    with connection._nodb_cursor() as server:
        server.execute(
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE %s",
            [f"{MINE}%"],
        )
        return dict(server.fetchall())


@pytest.fixture
def migrated(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """The databases in which `migrate` was called: here it makes one table. Templates of these tests are dropped."""
    calls: list[str] = []

    def migrate(command: str, **_: object) -> None:
        calls.append(f"{command} {connection.settings_dict['NAME']}")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE made AS SELECT 7 AS number")

    monkeypatch.setattr(template_database, "call_command", migrate)
    monkeypatch.setattr(template_database, "PREFIX", f"{MINE}_")
    with django_db_blocker.unblock():
        yield calls
        with connection._nodb_cursor() as server:
            for name in databases():
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_the_test_database_is_a_copy_of_the_template(db: None) -> None:
    assert connection.settings_dict["TEST"]["TEMPLATE"] == name_of(present_migrations())


def test_a_template_is_made_once(migrated: list[str]) -> None:
    usual = connection.settings_dict["NAME"]
    assert prepared(connection, f"{MINE}_a", now=NOW) == f"{MINE}_a"
    assert prepared(connection, f"{MINE}_a", now=NOW + timedelta(days=1)) == f"{MINE}_a"
    assert migrated == [f"migrate {MINE}_a_unfinished"]
    assert databases() == {f"{MINE}_a": "2026-05-05T12:00:00+00:00"}
    assert connection.settings_dict["NAME"] == usual


def test_nobody_may_connect_to_a_template_and_its_copy_is_open(migrated: list[str]) -> None:
    prepared(connection, f"{MINE}_a", now=NOW)
    with connection._nodb_cursor() as server:
        server.execute("SELECT datallowconn FROM pg_database WHERE datname = %s", [f"{MINE}_a"])
        assert server.fetchone() == (False,)
        server.execute(f'CREATE DATABASE "{MINE}_copy" TEMPLATE "{MINE}_a"')
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = f"{MINE}_copy"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM made")
            assert cursor.fetchall() == [(7,)]
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def test_what_broke_off_is_made_anew(migrated: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = template_database.call_command

    def broken(command: str, **_: object) -> None:
        whole(command)
        raise RuntimeError("no room on the disk")

    usual = connection.settings_dict["NAME"]
    monkeypatch.setattr(template_database, "call_command", broken)
    with pytest.raises(RuntimeError, match="no room"):
        prepared(connection, f"{MINE}_a", now=NOW)
    assert set(databases()) == {f"{MINE}_a_unfinished"}
    assert connection.settings_dict["NAME"] == usual
    monkeypatch.setattr(template_database, "call_command", whole)
    prepared(connection, f"{MINE}_a", now=NOW)
    assert set(databases()) == {f"{MINE}_a"}


def test_of_two_runs_at_once_one_migrates(migrated: list[str]) -> None:
    def run(number: int) -> str:
        try:
            return prepared(connections["default"], f"{MINE}_a", now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(run, range(2))) == [f"{MINE}_a"] * 2
    assert len(migrated) == 1
    assert databases() == {f"{MINE}_a": "2026-05-04T12:00:00+00:00"}


def test_templates_of_other_states_are_dropped_after_a_week_without_use(migrated: list[str]) -> None:
    week = timedelta(days=7)
    prepared(connection, f"{MINE}_old", now=NOW)
    prepared(connection, f"{MINE}_used", now=NOW + timedelta(seconds=1))
    prepared(connection, f"{MINE}_new", now=NOW + week)
    assert set(databases()) == {f"{MINE}_old", f"{MINE}_used", f"{MINE}_new"}
    prepared(connection, f"{MINE}_new", now=NOW + week + timedelta(seconds=1))
    assert set(databases()) == {f"{MINE}_used", f"{MINE}_new"}


def test_the_name_changes_with_a_migration(tmp_path: Path) -> None:
    first, second = tmp_path / "0001_a.py", tmp_path / "0002_b.py"
    first.write_text("operations = 1\n")
    second.write_text("operations = 2\n")
    names = [name_of([first, second]), name_of([second, first]), name_of([first])]
    second.write_text("operations = 3\n")
    names.append(name_of([first, second]))
    assert names[0] == names[1]
    assert len({*names}) == 3
    assert all(len(name) == len(PREFIX) + 16 for name in names)  # PostgreSQL cuts names after 63 bytes


def test_what_a_migration_imports_counts_and_what_others_import_does_not(tmp_path: Path) -> None:
    migration = tmp_path / "0001_a.py"
    migration.write_text(
        "import json\nimport reviews.inbox.domain\nfrom governance.people.domain import roles\n"
        "from governance.people.domain.roles import Role\nfrom django.db import migrations\n"
    )
    found = imported([migration]) - {migration}
    assert {
        path.relative_to(ROOT).as_posix() for path in found if path.name in ("domain.py", "roles.py", "reasons.py")
    } == {
        "reviews/inbox/domain.py",
        "governance/people/domain/roles.py",
    }
    assert all(path.is_relative_to(ROOT) and ".venv" not in path.parts for path in found)
