"""A web server with two processes, and this process, which revokes: every process denies in time, database or not."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations
from tests.architecture.tree import ROOT
from tests.factories.people import Cast
from tests.integration.config.test_standstill import PATIENCE_S, Wire, free_port

KEEPS_S, OUTAGE_S, ASKED = 0.5, 15, 12  # a silent database is noticed after six seconds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.is_over.set()


@pytest.fixture
def served(wire: Wire, tmp_path: Path, transactional_db: None) -> Iterator[str]:
    """Gunicorn as it is shipped, with two processes."""
    port, found = free_port(), connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{found['USER']}@127.0.0.1:{wire.port}/{found['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "WEIGHBRIDGE_VAR": str(tmp_path / "var"),
        "WEIGHBRIDGE_SIGNING_KEY": str(settings.WEIGHBRIDGE["SIGNING_KEY"]),
        "WEIGHBRIDGE_STATEMENT_S": "2",
        "WEIGHBRIDGE_GATE_KEEPS_MS": str(round(KEEPS_S * 1000)),
        "WEIGHBRIDGE_GATE_OUTAGE_S": str(OUTAGE_S),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.web.gunicorn", "config.wsgi"]
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def ask(url: str, token: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, headers={"Authorization": f"Token {token}"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def ask_until(url: str, token: str, is_reached: Any) -> None:
    """Ask again until an answer is as expected."""
    deadline_s = time.monotonic() + PATIENCE_S
    found: object = None
    while time.monotonic() < deadline_s:
        try:
            found = ask(url, token)
        except OSError as error:
            found = error
        else:
            if is_reached(*found):
                return
        time.sleep(0.1)
    pytest.fail(str(found))


def test_every_process_denies_in_time_and_answers_without_the_database(
    served: str, wire: Wire, decided: ReviewRequest, cast: Cast, now: datetime
) -> None:
    token = people.create_token(user=cast.auditor, valid_days=1, scope=TokenScope.GATE, by=None, now=now)
    url = f"{served}/api/v1/gate/?subject={decided.model_version.digest}&env=prod"
    ask_until(url, token, lambda status, found: status == 200 and found["answer"] == "allow")
    for _ in range(3):
        assert {ask(url, token)[1]["answer"] for _ in range(ASKED)} == {"allow"}
        time.sleep(KEEPS_S)
    authorizations.revoke(authorization=decided.decision.authorization, reason="It leaks.", by=cast.approver, now=now)
    time.sleep(KEEPS_S)
    assert {ask(url, token)[1]["answer"] for _ in range(ASKED)} == {"deny"}
    wire.stands_still.set()
    silent = "The database does not answer, so this is the standing of "
    ask_until(url, token, lambda status, found: status == 200 and found["reasons"][-1].startswith(silent))
    assert {(status, found.get("answer", "")) for status, found in (ask(url, token) for _ in range(ASKED))} <= {
        (200, "deny"),
        (503, ""),
    }
    ask_until(url, token, lambda status, found: status == 503 and "the gate last read the feed at" in found["detail"])
    wire.stands_still.clear()
    ask_until(url, token, lambda status, found: status == 200 and not found["reasons"][-1].startswith(silent))
