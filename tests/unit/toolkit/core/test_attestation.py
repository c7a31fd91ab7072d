import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.governance.rulebook.builders import DIGEST, NOW
from weighbridge.core.attestation import (
    PAYLOAD_TYPE,
    Grant,
    key_id,
    new_key_pem,
    public_pem,
    sign,
    statement,
    verify,
)
from weighbridge.core.errors import Invalid

KEY = new_key_pem()
PUBLIC = public_pem(KEY)
OTHER = "sha256:" + "cd" * 32


def grant(**fields):
    return Grant(
        **{
            "authorization": "AUT-2026-0007",
            "request": "MRR-2026-0042",
            "decision": "approved",
            "environment": "prod",
            "issued_at": NOW,
            "expires_at": NOW + timedelta(days=365),
            "policy_name": "default",
            "policy_version": 3,
            "policy_digest": OTHER,
            "evidence_digest": OTHER,
            "conditions": ["Halve the latency by March."],
            "approvers": ["ada", "grace"],
            **fields,
        }
    )


def stated(**fields):
    return statement(subject_name="classifier.onnx", subject_digest=DIGEST, grant=grant(**fields))


def test_the_statement_is_in_totos():
    assert stated() == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "classifier.onnx", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "urn:weighbridge:authorization:v1",
        "predicate": {
            "authorization": "AUT-2026-0007",
            "request": "MRR-2026-0042",
            "decision": "approved",
            "environment": "prod",
            "issued_at": "2026-10-05T12:00:00Z",
            "expires_at": "2027-10-05T12:00:00Z",
            "conditions": ["Halve the latency by March."],
            "policy": {"name": "default", "version": 3, "digest": OTHER},
            "evidence": {"digest": OTHER},
            "approvers": ["ada", "grace"],
        },
    }


def test_nothing_is_stated_about_an_artifact_without_a_digest():
    with pytest.raises(Invalid, match="no SHA-256 digest"):
        statement(subject_name="x", subject_digest="md5:1", grant=grant())


def test_a_signed_statement_verifies_and_comes_back_whole():
    envelope = json.loads(json.dumps(sign(stated(), private_key_pem=KEY)))
    assert verify(envelope, public_key_pem=PUBLIC) == stated()
    assert envelope["signatures"][0]["keyid"] == key_id(PUBLIC)


def test_the_signature_is_dsses_own():
    """Checked with the library alone, by the formula of the DSSE specification."""
    envelope = sign(stated(), private_key_pem=KEY)
    payload = base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(payload)).encode() + b" " + payload
    assert len(PAYLOAD_TYPE) == 28
    load_pem_public_key(PUBLIC.encode()).verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)


def test_any_of_several_signatures_is_enough_and_key_ids_are_not_trusted():
    envelope = sign(stated(), private_key_pem=KEY)
    stranger = sign(stated(), private_key_pem=new_key_pem())
    both = envelope | {
        "signatures": [*stranger["signatures"], "junk", {"keyid": "?", "sig": envelope["signatures"][0]["sig"]}]
    }
    assert verify(both, public_key_pem=PUBLIC) == stated()


def b64(content):
    return base64.b64encode(content).decode()


def resigned(payload):
    """An envelope genuinely signed over any payload."""
    signed = b"DSSEv1 28 %b %d %b" % (PAYLOAD_TYPE.encode(), len(payload), payload)
    signature = load_pem_private_key(KEY.encode(), None).sign(signed)
    return {"payloadType": PAYLOAD_TYPE, "payload": b64(payload), "signatures": [{"sig": b64(signature)}]}


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (None, "not_dsse"),
        ([], "not_dsse"),
        ({}, "not_dsse"),
        (sign(stated(), private_key_pem=KEY) | {"payloadType": "text/plain"}, "not_dsse"),
        (sign(stated(), private_key_pem=KEY) | {"payload": "%%%"}, "not_dsse"),
        (sign(stated(), private_key_pem=KEY) | {"payload": "é"}, "not_dsse"),
        (sign(stated(), private_key_pem=KEY) | {"signatures": None}, "not_dsse"),
        (sign(stated(), private_key_pem=KEY) | {"signatures": []}, "bad_signature"),
        (sign(stated(), private_key_pem=KEY) | {"signatures": [{}]}, "bad_signature"),
        (sign(stated(), private_key_pem=new_key_pem()), "bad_signature"),
        (
            sign(stated(), private_key_pem=KEY) | {"payload": b64(json.dumps(stated(environment="dev")).encode())},
            "bad_signature",
        ),
        (resigned(b"not json"), "not_a_statement"),
        (resigned(b"[" * 100_000), "not_a_statement"),
        (resigned(b"[]"), "not_a_statement"),
        (resigned(b'{"_type":"other"}'), "not_a_statement"),
    ],
)
def test_whatever_is_not_genuine_is_refused(envelope, code):
    with pytest.raises(Invalid) as refusal:
        verify(envelope, public_key_pem=PUBLIC)
    assert refusal.value.code == code


@given(st.data())
def test_no_changed_byte_of_the_payload_or_the_signature_goes_unnoticed(data):
    envelope = sign(stated(), private_key_pem=KEY)
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    payload = base64.b64decode(envelope["payload"])
    target = data.draw(st.sampled_from(["payload", "signature"]))
    original = payload if target == "payload" else signature
    at, flip = data.draw(st.integers(0, len(original) - 1)), data.draw(st.integers(1, 255))
    changed = original[:at] + bytes([original[at] ^ flip]) + original[at + 1 :]
    forged = envelope | ({"payload": b64(changed)} if target == "payload" else {"signatures": [{"sig": b64(changed)}]})
    with pytest.raises(Invalid) as refusal:
        verify(forged, public_key_pem=PUBLIC)
    assert refusal.value.code == "bad_signature"


def pem_of(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


CURVE = ec.generate_private_key(ec.SECP256R1())
CURVE_PUBLIC = CURVE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        ("junk", "PEM form"),
        (pem_of(CURVE), "not an Ed25519"),
        (pem_of(CURVE, BestAvailableEncryption(b"x")), "unencrypted"),
    ],
)
def test_only_plain_ed25519_keys_sign(pem, words):
    with pytest.raises(Invalid, match=words):
        sign(stated(), private_key_pem=pem)


@pytest.mark.parametrize(("pem", "words"), [("junk", "PEM form"), (CURVE_PUBLIC, "not an Ed25519")])
def test_only_ed25519_keys_verify(pem, words):
    with pytest.raises(Invalid, match=words):
        verify(sign(stated(), private_key_pem=KEY), public_key_pem=pem)
