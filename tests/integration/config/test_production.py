"""Production refuses the people of the demo, and keeps its files to itself."""

import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from config import production
from governance.accounts import queries
from governance.accounts.domain import DEMO_PASSWORD
from governance.operations.management.stack import Stack
from tests.architecture.tree import ROOT


def test_without_people_of_the_demo_it_starts(db: None) -> None:
    User.objects.create_user("admin", "", "a longer horse battery")
    User.objects.create_user("somebody", "", DEMO_PASSWORD)  # cannot log in with it, see test_one_way_in.py
    User.objects.create_user("lead", "", DEMO_PASSWORD, is_active=False)
    production.refuse_demo_people()


def test_people_of_the_demo_are_named(db: None) -> None:
    for name in ("reviewer1", "admin2", "admin"):
        User.objects.create_user(name, "", DEMO_PASSWORD)
    with pytest.raises(SystemExit, match=r"known password: admin, admin2, reviewer1\. Use another database"):
        production.refuse_demo_people()


def test_a_stopped_database_does_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> list[str]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(queries, "demo_people", fail)
    production.refuse_demo_people()
    assert "Not checked for people of the demo: connection refused" in caplog.text


def served(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Gunicorn with production settings, until it ends by itself."""
    found = connection.settings_dict
    libpq = {"PGHOST": found["HOST"], "PGUSER": found["USER"], "PGPASSWORD": found["PASSWORD"], "PGPORT": found["PORT"]}
    environment = {
        **{name: value for name, value in libpq.items() if value},
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "DATABASE_URL": f"postgresql:///{found['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings.prod",
        "WEIGHBRIDGE_VAR": str(tmp_path / "var"),
        "WEIGHBRIDGE_SECRET_KEY": secrets.token_urlsafe(60),
        "WEIGHBRIDGE_HOSTS": "weighbridge.example",
        "WEIGHBRIDGE_PROXIES": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"unix:{tmp_path}/web"]
    return subprocess.run(
        command, cwd=ROOT, env=environment | changes, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.django_db(transaction=True)
def test_the_web_process_ends_with_a_sentence(tmp_path: Path) -> None:
    """Where it starts, `tests/performance/test_inbound_load.py` uses it."""
    ended = served(tmp_path, WEIGHBRIDGE_PROXIES="")
    assert (ended.returncode, "WEIGHBRIDGE_PROXIES is not set." in ended.stderr) == (production.HALT, True)
    User.objects.create(username="admin", password=PBKDF2PasswordHasher().encode(DEMO_PASSWORD, "salt"))
    ended = served(tmp_path)
    assert (ended.returncode, "known password: admin. Use" in ended.stderr) == (production.HALT, True)
    assert ended.stderr.count("Booting worker") == 1, "it is not started again and again"


WRITES = """
import sys
from pathlib import Path
import django
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
django.setup()
storages["artifacts"].save("team/model.onnx", ContentFile(b"x"))
storages["default"].save("packets/one.pdf", ContentFile(b"x"))
made = Path(settings.VAR_DIR) / "made" / "by hand"
made.mkdir(parents=True)
(made / "file").write_text("x")
"""


def too_open(folder: Path) -> dict[str, str]:
    """The files and folders that others than their owner can reach."""
    found = [folder, *folder.rglob("*")]
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in found}
    return {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


@pytest.mark.parametrize("is_child", [False, True], ids=["process", "process of up"])
def test_files_are_closed_to_others(tmp_path: Path, is_child: bool) -> None:
    var = tmp_path / "some" / "var"
    environment = {
        "WEIGHBRIDGE_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    command = [sys.executable, "-c", WRITES]
    if is_child:  # of a process with the settings, as `manage.py up` is
        with Stack(logs=var / "logs", environment=environment) as stack:
            stack.start("writer", command)
            assert stack.children["writer"].wait(60) == 0, (var / "logs" / "writer.log").read_text()
    else:
        subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, umask=0o022)
    assert {path.name for path in var.rglob("*")} >= {"model.onnx", "one.pdf", "file", "uploads", "broker"}
    assert too_open(var) == {}
