"""The command line and the API agree: the toolkit's own client, over HTTP, against a server."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from governance.audit.queries.keys import public_key
from governance.people.actions import people
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations
from tests.factories.models import npz_bytes, onnx_bytes
from tests.factories.people import Cast
from tests.factories.requests import make_decided
from weighbridge.client.feed.pulling import prove, pull
from weighbridge.client.feed.verdicts import GateVerdict
from weighbridge.client.gate import ask_feed, ask_server
from weighbridge.client.request_file import read_request_file
from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.client.submission import file_request
from weighbridge.core import attestation

REQUEST = """
title: Visual search
purpose: Find products from a photograph
environment: prod
business_case: Raises conversion.
model: {team: search, slug: visual-search, name: Visual search, version: 1.0.0, tier: T1,
  task: classification, owner: author, file: model.onnx}
dataset: {name: held-out, license: internal, file: test.npz}
metric_values:
  - {name: training_gpu_hours, value: 320, basis: declared, source: training log}
  - {name: accuracy, value: 0.91, basis: declared}
submit: true
"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(live_server: LiveServer, now: datetime) -> Callable[[User], PlatformServer]:
    def ask(user: User) -> PlatformServer:
        return PlatformServer(live_server.url, people.create_token(user=user, valid_days=1, by=None, now=now))

    return ask


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(onnx_bytes())
    (tmp_path / "test.npz").write_bytes(npz_bytes())
    path = tmp_path / "request.yaml"
    path.write_text(REQUEST)
    return path


def test_a_request_file_is_filed_and_submitted_once(
    server: Callable[[User], PlatformServer], policy: PolicyVersion, author: User, file: Path
) -> None:
    said: list[str] = []
    refs = {
        file_request(read_request_file(file), server=server(author), key="one-key", report=said.append)
        for _ in range(2)
    }
    request = ReviewRequest.objects.get()
    assert refs == {request.ref}
    assert (request.state, request.model_version.digest in said[0], request.metric_records.count()) == (
        "evidence",
        True,
        2,
    )
    assert said[2:3] == [f"submitted {request.ref}"]


def test_a_refusal_reaches_the_terminal_in_words(
    server: Callable[[User], PlatformServer], outsider: User, file: Path
) -> None:
    with pytest.raises(ServerRefused, match=r"refused \(403\): You are not a requester of the team 'search'"):
        file_request(read_request_file(file), server=server(outsider), key="one-key", report=print)
    file.write_text(REQUEST.replace("tier: T1", "tier: high"))
    with pytest.raises(ServerRefused, match=r"tier: “high” is not known here; write one of T1, T2, T3\."):
        file_request(read_request_file(file), server=server(outsider), key="other-key", report=print)
    assert ReviewRequest.objects.count() == 0


def test_the_gate_answers_the_command(
    server: Callable[[User], PlatformServer], policy: PolicyVersion, cast: Cast, now: datetime
) -> None:
    decided = make_decided(cast=cast, now=now)
    asked = server(cast.outsider)
    digests = {"approved": decided.model_version.digest, "another": "sha256:" + "0" * 64}
    terms = {"environment": "prod", "keys": [public_key()], "now": timezone.now}
    answers = {name: ask_server(asked, digest=digest, **terms).answer for name, digest in digests.items()}
    assert answers == {"approved": GateVerdict.ALLOWED, "another": GateVerdict.REFUSED}
    stranger = attestation.public_pem(attestation.new_key_pem())
    for wrong in ({"environment": "moon"}, {"keys": [stranger]}, {"max_age": timedelta(seconds=-1)}):
        assert ask_server(asked, digest=digests["approved"], **(terms | wrong)).answer is GateVerdict.UNKNOWN
    nobody = PlatformServer(asked.url, "wb_wrong")
    assert ask_server(nobody, digest=digests["approved"], **terms).answer is GateVerdict.UNKNOWN


def test_the_feed_is_mirrored_and_decides_offline(
    server: Callable[[User], PlatformServer], policy: PolicyVersion, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    decided = make_decided(cast=cast, now=now)
    asked, path, key = server(cast.outsider), tmp_path / "feed.json", tmp_path / "key.pem"
    key.write_text(public_key())
    question = {"digest": decided.model_version.digest, "environment": "prod", "public_key": key}
    first = pull(path, server=asked, keys=[public_key()])
    assert ask_feed(path, now=timezone.now(), **question).answer is GateVerdict.ALLOWED
    assert prove(first.head.size, server=asked, keys=[public_key()])[0].standing == "authorized"
    held = decided.decision.authorization
    authorizations.revoke(authorization=held, reason="It leaks.", by=cast.approver, now=timezone.now())
    assert ask_feed(path, now=timezone.now(), **question).answer is GateVerdict.ALLOWED  # until its head expires
    assert pull(path, server=asked, keys=[public_key()]).head.size == first.head.size + 1
    assert ask_feed(path, now=timezone.now(), **question).answer is GateVerdict.REFUSED
    late = first.head.expires_at + timedelta(minutes=1)
    assert ask_feed(path, now=late, **question).answer is GateVerdict.UNKNOWN
