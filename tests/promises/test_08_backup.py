"""A back-up is whole: restored where nothing was, the trail verifies, every file is there, and the keys still sign."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from pytest_django import Settings

from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from governance.jobs.models import OutboxMessage
from governance.operations.management import backup_format as keeping
from reviews.requests.models import ReviewRequest
from tests.architecture.tree import ROOT
from tests.factories import requests as walks
from tests.factories.people import make_cast
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from weighbridge.core import attestation

__all__ = ["checklist", "installation", "now", "policy", "signing_key_pem"]
PATIENCE_S = 120


def manage(*words: str, var: Path) -> subprocess.CompletedProcess[str]:
    """A command of another installation, whose embedded database is its own."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    environment = kept | {"WEIGHBRIDGE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings.dev"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture
def lived_in(transactional_db: None, policy: object, now: datetime, settings: Settings, tmp_path: Path) -> None:
    """An installation with a decided request, its files, and an effect that waits."""
    walks.make_decided(cast=make_cast(now=now), now=now)
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "files"}}
    }
    settings.VAR_DIR = tmp_path


@pytest.fixture
def kept(lived_in: None, tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    call_command("backup", folder)
    return folder


def test_restored_into_an_empty_place_everything_is_there(kept: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    head = AuditEvent.objects.latest("position")
    waiting = OutboxMessage.objects.count()
    try:
        restored = manage("manage.py", "restore", str(kept), var=elsewhere)
        assert (restored.returncode, restored.stderr) == (0, "")
        assert f"{head.position} events, chain unbroken, head {head.hash}." in restored.stdout
        verified = manage("manage.py", "audit", "verify", var=elsewhere)
        assert (verified.returncode, head.hash in verified.stdout) == (0, True)
        told = (
            "from governance.jobs.models import OutboxMessage; from reviews.requests.models import ReviewRequest; "
            "print(ReviewRequest.objects.get().state, OutboxMessage.objects.count())"
        )
        assert (
            manage("manage.py", "shell", "--verbosity", "0", "-c", told, var=elsewhere).stdout == f"decided {waiting}\n"
        )
        again = manage("manage.py", "restore", str(kept), var=elsewhere)
        assert (again.returncode, "The database is not empty" in again.stderr) == (1, True)
    finally:
        manage("-m", "config.embedded_database", "stop", var=elsewhere)
    assert ReviewRequest.objects.get().state == "decided"
    originals = sorted(path.relative_to(tmp_path) for path in (tmp_path / "artifacts").rglob("*") if path.is_file())
    assert len(originals) >= 1
    for name in originals:
        assert (elsewhere / name).read_bytes() == (tmp_path / name).read_bytes()
    key = elsewhere / "keys" / "signing.pem"
    assert attestation.public_pem(key.read_text()) == attestation.public_pem((tmp_path / "signing.pem").read_text())
    assert key.stat().st_mode & 0o077 == 0


def test_a_back_up_is_for_its_owner_alone_and_lists_what_it_holds(kept: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0
    listed = json.loads((kept / keeping.LIST).read_text())
    assert {"database.dump", "keys/signing.pem"} < set(listed["files"])
    assert (listed["events"], listed["head"]) == (
        AuditEvent.objects.count(),
        AuditEvent.objects.latest("position").hash,
    )
    keeping.check_complete(kept)
    assert first_broken() is None


def test_keys_stay_behind_where_that_is_wanted(lived_in: None, tmp_path: Path) -> None:
    call_command("backup", tmp_path / "kept", "--without-keys")
    assert not (tmp_path / "kept" / "keys").exists()
    keeping.check_complete(tmp_path / "kept")


def test_a_back_up_never_goes_on_top_of_another(kept: Path) -> None:
    with pytest.raises(CommandError, match=r"is not empty\. Use a new folder"):
        call_command("backup", kept)


def test_nothing_is_restored_over_something(kept: Path) -> None:
    count = AuditEvent.objects.count()
    with pytest.raises(CommandError, match=r"The database is not empty\. Set DATABASE_URL to a new database"):
        call_command("restore", kept)
    assert AuditEvent.objects.count() == count


@pytest.mark.parametrize("harm", ["changed", "missing", "added"])
def test_a_damaged_back_up_is_refused_by_name(kept: Path, harm: str) -> None:
    dump = kept / keeping.DUMP
    if harm == "changed":
        dump.write_bytes(dump.read_bytes()[:-1] + b"?")
    elif harm == "missing":
        dump.unlink()
    else:
        (kept / "more").write_text("x")
    with pytest.raises(CommandError, match=f"damaged: {'more' if harm == 'added' else 'database.dump'} differs"):
        call_command("restore", kept)


def test_what_is_no_back_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no complete backup in"):
        call_command("restore", tmp_path)
    (tmp_path / keeping.LIST).write_text('{"schema": "other/1"}')
    with pytest.raises(CommandError, match="schema 'other/1', but this version reads"):
        call_command("restore", tmp_path)


def test_folders_with_files_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping.connection.introspection, "table_names", list)
    (tmp_path / "empty").mkdir()
    keeping.check_empty({"files": tmp_path / "empty", "artifacts": tmp_path / "none"})
    (tmp_path / "full").write_text("x")
    with pytest.raises(CommandError, match=r"full already exists\. Set WEIGHBRIDGE_VAR to a new folder"):
        keeping.check_empty({"artifacts": tmp_path / "full"})


def test_what_the_tool_says_is_passed_on(tmp_path: Path, transactional_db: None) -> None:
    (tmp_path / "no.dump").write_bytes(b"nonsense")
    with pytest.raises(CommandError, match=r"pg_restore failed: .*not appear to be a valid archive"):
        keeping.load(tmp_path / "no.dump")


def test_the_tools_of_the_system_serve_where_no_wheel_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "find_spec", lambda name: None)
    monkeypatch.setattr(keeping.shutil, "which", lambda tool: f"/usr/bin/{tool}")
    assert keeping._binary("pg_dump") == "/usr/bin/pg_dump"
    monkeypatch.setattr(keeping.shutil, "which", lambda tool: None)
    with pytest.raises(CommandError, match=r"pg_dump is not installed\. Install the client tools of PostgreSQL"):
        keeping._binary("pg_dump")


def test_places_are_those_of_the_storages(settings: Settings) -> None:
    assert list(keeping.folders(with_keys=False)) == ["artifacts", "files"]
    assert keeping.folders(with_keys=True)["artifacts"] == Path(storages["artifacts"].path(""))
