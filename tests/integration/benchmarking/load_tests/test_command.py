"""The command of an operator: it starts a load test, waits for its result, and says what cannot be."""

import io
import json
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.management.commands import load_test as command
from benchmarking.load_tests.models import LoadTest
from tests.factories.people import Cast, make_cast

PATIENCE_S = 120


@pytest.mark.django_db(transaction=True)
def test_an_operator_starts_a_test_and_reads_its_result(now: datetime, settings: Settings, tmp_path: Path) -> None:
    cast = make_cast(now=now)
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LOAD_TARGETS": ["127.0.0.1"]}
    said = io.StringIO()

    def conclude() -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not (test := LoadTest.objects.first()) and time.monotonic() < until_s:
            time.sleep(0.05)
        assert test is not None
        load_tests.conclude(test=test, result={"verdict": {"status": "valid"}}, now=now)
        connection.close()

    worker = threading.Thread(target=conclude)
    worker.start()
    body = tmp_path / "body.json"
    body.write_text("{}")
    asked = [
        "http://127.0.0.1:9/",
        "--rate=5",
        "--header",
        "Accept: a/b",
        "--expect-json-key=ok",
        "--check-every=3",
        "--body",
        str(body),
        "--user",
        cast.admin.username,
    ]
    call_command("load_test", *asked, stdout=said)
    worker.join()
    assert json.loads(said.getvalue()) == {"verdict": {"status": "valid"}}
    test = LoadTest.objects.get()
    assert (test.size, test.plan["duration_s"], test.started_by) == (2, 60.0, cast.admin)
    assert (test.plan["expect"]["json_key"], test.plan["expect"]["every"]) == ("ok", 3)
    assert test.plan["connections"] is None
    assert (test.plan["method"], test.plan["headers"]) == ("POST", [["Accept", "a/b"]])


def test_an_operator_is_told_what_cannot_be(
    cast: Cast, now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(user: str) -> str:
        with pytest.raises(CommandError) as refused:
            call_command("load_test", "http://127.0.0.1:9/", "--rate=5", f"--user={user}")
        return str(refused.value)

    assert "may not call 127.0.0.1" in asked(cast.admin.username)
    with pytest.raises(CommandError, match="may be a secret"):
        call_command(
            "load_test", "http://127.0.0.1:9/", "--rate=5", "--user", cast.admin.username, "--header", "X-Key: k"
        )
    assert "does not exist" in asked("nobody")
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"LOAD_TARGETS": ["127.0.0.1"]}
    assert "Only platform leads" in asked(cast.author.username)

    def fail(_: float) -> None:
        load_tests.fail(test=LoadTest.objects.get(state="queued"), reason="It was no use.", now=now)

    monkeypatch.setattr(command.time, "sleep", fail)
    assert asked(cast.admin.username) == "It was no use."

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupt)
    assert asked(cast.approver.username) == "Load test canceled. Its workers stop."
    assert LoadTest.objects.latest("pk").state == "canceled"
