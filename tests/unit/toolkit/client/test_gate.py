"""The gate's three answers, online and offline."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from weighbridge.client.gate import GateVerdict, ask_server, ask_statement, check_digest
from weighbridge.client.server import PlatformServer
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid

DIGEST = "sha256:" + "ab" * 32
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "digest", ["", "ab" * 32, "sha256:" + "AB" * 32, DIGEST + "0", DIGEST[:-1] + "g", DIGEST + "\n"]
)
def test_what_is_no_digest_is_refused(digest):
    with pytest.raises(Invalid):
        check_digest(digest)


def test_a_digest_is_let_through():
    assert check_digest(DIGEST) == DIGEST


@pytest.mark.parametrize(
    ("said", "answer", "reasons"),
    [
        ({"answer": "allow", "reasons": ["A-1."], "expires_at": "2027"}, GateVerdict.ALLOWED, ("A-1.",)),
        ({"answer": "deny", "reasons": ["Expired."]}, GateVerdict.REFUSED, ("Expired.",)),
        ({"answer": "unknown", "reasons": []}, GateVerdict.UNKNOWN, ()),
        ({"answer": "yes"}, GateVerdict.UNKNOWN, ()),
        ({}, GateVerdict.UNKNOWN, ()),
    ],
)
def test_the_server_is_asked(desk, said, answer, reasons):
    desk.answers["GET", "/base/api/v1/gate/"] = (200, said)
    reply = ask_server(desk.server, digest=DIGEST, environment="prod")
    assert (reply.answer, reply.reasons, reply.expires_at) == (answer, reasons, said.get("expires_at"))
    assert desk.asked[0][1].endswith("?subject=sha256%3A" + "ab" * 32 + "&env=prod")


def test_a_server_that_refuses_or_is_not_there_cannot_tell(desk):
    desk.answers["GET", "/base/api/v1/gate/"] = (403, {"detail": "No token."})
    assert ask_server(desk.server, digest=DIGEST, environment="prod").answer is GateVerdict.UNKNOWN
    gone = ask_server(PlatformServer("http://127.0.0.1:9", "t"), digest=DIGEST, environment="prod")
    assert gone.answer is GateVerdict.UNKNOWN
    assert "does not answer" in gone.reasons[0]


@pytest.fixture
def files(tmp_path):
    key = attestation.new_key_pem()
    grant = attestation.Grant(
        authorization="A-1",
        request="MRR-2026-0001",
        decision="approved",
        environment="prod",
        issued_at=NOW,
        expires_at=NOW + timedelta(days=9),
        policy_name="p",
        policy_version=1,
        policy_digest=DIGEST,
        evidence_digest=DIGEST,
    )
    statement = attestation.statement(subject_name="m", subject_digest=DIGEST, grant=grant)
    (tmp_path / "s.json").write_text(json.dumps(attestation.sign(statement, private_key_pem=key)))
    (tmp_path / "key.pem").write_text(attestation.public_pem(key))
    (tmp_path / "other.pem").write_text(attestation.public_pem(attestation.new_key_pem()))
    return tmp_path


def offline(files, *, statement="s.json", key="key.pem", digest=DIGEST, environment="prod", now=NOW):
    return ask_statement(files / statement, public_key=files / key, digest=digest, environment=environment, now=now)


def test_a_statement_allows_what_it_was_signed_for(files):
    assert offline(files).answer is GateVerdict.ALLOWED
    assert offline(files, digest="sha256:" + "cd" * 32).answer is GateVerdict.REFUSED
    assert offline(files, environment="staging").answer is GateVerdict.REFUSED
    assert offline(files, now=NOW + timedelta(days=10)).answer is GateVerdict.REFUSED


def test_a_statement_that_cannot_be_verified_cannot_tell(files):
    (files / "list.json").write_text("[1]")
    (files / "torn.json").write_text('{"a":')
    tampered = json.loads((files / "s.json").read_text())
    tampered["payload"] = tampered["payload"][:-8] + "AAAAAAA="
    (files / "tampered.json").write_text(json.dumps(tampered))
    for statement in ("list.json", "torn.json", "none.json", "tampered.json"):
        reply = offline(files, statement=statement)
        assert (reply.answer, len(reply.reasons)) == (GateVerdict.UNKNOWN, 1), statement
    assert offline(files, key="other.pem").answer is GateVerdict.UNKNOWN
    assert offline(files, key="none.pem").answer is GateVerdict.UNKNOWN
