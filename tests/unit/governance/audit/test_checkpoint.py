"""Checkpoints: what is printed reads back, and no byte of it can differ unseen."""

import base64
import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from governance.audit.domain import checkpoint
from governance.audit.domain.checkpoint import CheckpointStatement, Signed
from tests.refusals import has_code
from weighbridge.client.feed.heads import read_head
from weighbridge.client.feed.summaries import read_summary
from weighbridge.core import attestation
from weighbridge.core.canonical import canonical_bytes
from weighbridge.core.errors import Invalid

KEY, OTHER = attestation.new_key_pem(), attestation.new_key_pem()
PUBLIC = attestation.public_pem(KEY)
AT = datetime(2026, 10, 5, 12, 30, 0, 123456, tzinfo=UTC)
HEAD = "sha256:" + "0123456789abcdef" * 4
SIGNED = checkpoint.sign(CheckpointStatement(1234, HEAD, AT), private_key_pem=KEY)
CLASSES = {
    "digit": string.digits,
    "letter": string.ascii_letters,
    "sign": "+/=:;.-",
    "other": "\u00e9\u0661\x00",
}


def accepted(text: str) -> Signed | None:
    """What a reader with the key makes of a line: the checkpoint it believes, or nothing."""
    try:
        signed = checkpoint.read(text)
        checkpoint.verify(signed, public_key_pem=PUBLIC)
    except Invalid:
        return None
    return signed


def test_what_is_printed_reads_back() -> None:
    assert (
        SIGNED.text
        == f"weighbridge-checkpoint-1;1234;2026-10-05T12:30:00.123456Z;{HEAD};{SIGNED.key_id};{SIGNED.signature}"
    )
    assert accepted(SIGNED.text) == SIGNED
    assert SIGNED.key_id == attestation.key_id(PUBLIC)


@given(st.integers(1, 10**17), st.datetimes(timezones=st.just(UTC)), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_reads_back(count: int, at: datetime, content: bytes) -> None:
    signed = checkpoint.sign(CheckpointStatement(count, f"sha256:{content.hex()}", at), private_key_pem=KEY)
    assert accepted(signed.text) == signed


def test_the_signature_is_what_somebody_else_would_verify() -> None:
    """By the standards alone: DSSE's pre-authentication encoding over an in-toto statement, Ed25519."""
    payload = canonical_bytes(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "audit trail", "digest": {"sha256": HEAD.removeprefix("sha256:")}}],
            "predicateType": "urn:weighbridge:checkpoint:v1",
            "predicate": {"count": 1234, "at": "2026-10-05T12:30:00.123456Z"},
        }
    )
    kind = b"application/vnd.in-toto+json"
    encoded = b"DSSEv1 " + b" ".join([str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    key = load_pem_public_key(PUBLIC.encode())
    key.verify(base64.b64decode(SIGNED.signature), encoded)  # type: ignore[union-attr,call-arg]


@pytest.mark.parametrize("at", range(len(SIGNED.text)))
def test_no_character_can_differ(at: int) -> None:
    """Each character in turn, replaced by others of every class, left out, and doubled."""
    text = SIGNED.text
    others = {character for some in CLASSES.values() for character in some} - {text[at]}
    changed = [text[:at] + other + text[at + 1 :] for other in others]
    assert [
        each for each in (*changed, text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:]) if accepted(each)
    ] == []


@pytest.mark.parametrize("glue", ["\n", " ", "\r\n  ", "\t", "\u00a0"])
def test_the_breaks_a_printer_adds_do_no_harm(glue: str) -> None:
    text = SIGNED.text
    broken = glue.join(text[start : start + 37] for start in range(0, len(text), 37))
    assert accepted(f"{glue}{broken}{glue}") == SIGNED


def test_another_key_is_named() -> None:
    with pytest.raises(Invalid, check=has_code("other_key")):
        checkpoint.verify(SIGNED, public_key_pem=attestation.public_pem(OTHER))


def test_a_forger_without_the_key_is_refused() -> None:
    forged = checkpoint.sign(CheckpointStatement(1233, HEAD, AT), private_key_pem=OTHER)
    claimed = Signed(forged.checkpoint, SIGNED.key_id, forged.signature)
    moved = Signed(CheckpointStatement(1233, HEAD, AT), SIGNED.key_id, SIGNED.signature)
    for each in (claimed, moved):
        with pytest.raises(Invalid) as refusal:
            checkpoint.verify(checkpoint.read(each.text), public_key_pem=PUBLIC)
        assert refusal.value.code == "bad_signature"


def test_neither_passes_for_the_other() -> None:
    """A checkpoint lets no artifact pass, and what is signed over an artifact is no checkpoint."""
    for read in (read_head, read_summary):
        with pytest.raises(Invalid, match="The statement is not a"):
            read(checkpoint._envelope(SIGNED), keys=[PUBLIC])
    grant = attestation.Grant(
        authorization="AUT-1",
        request="MRR-1",
        decision="approved",
        environment="prod",
        issued_at=AT,
        expires_at=AT + timedelta(days=1),
        policy_name="p",
        policy_version=1,
        policy_digest=HEAD,
        evidence_digest=HEAD,
    )
    authorization = attestation.statement(subject_name="audit trail", subject_digest=HEAD, grant=grant)
    envelope = attestation.sign(authorization, private_key_pem=KEY)
    (entry,) = envelope["signatures"]  # type: ignore[misc]
    assert accepted(Signed(SIGNED.checkpoint, SIGNED.key_id, entry["sig"]).text) is None


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-10-05T12:30:00", "its time is not UTC"),
        ("2026-10-05T14:30:00.123456+02:00", "its time is not UTC"),
        ("2026-13-05T12:30:00Z", "its time."),
        ("2026-10-05T12:30:00.123456+00:00", "not in the printed format"),
        ("0001-01-01T00:00:00+23:59", "its time is not UTC"),
    ],
)
def test_a_time_of_another_spelling_is_refused(at: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        checkpoint.read(SIGNED.text.replace("2026-10-05T12:30:00.123456Z", at))


def test_a_time_of_another_zone_is_told_in_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert checkpoint.sign(CheckpointStatement(1234, HEAD, local), private_key_pem=KEY).text == SIGNED.text


@pytest.mark.parametrize("count", ["", "-1", "+1", "01234", "1e3", "9" * 19, "9" * 9999, "\u0661"])
def test_a_count_of_another_spelling_is_refused(count: str) -> None:
    with pytest.raises(Invalid, match="its count"):
        checkpoint.read(SIGNED.text.replace(";1234;", f";{count};"))


@given(st.text())
def test_no_text_makes_it_stumble(text: str) -> None:
    assert accepted(text) is None
