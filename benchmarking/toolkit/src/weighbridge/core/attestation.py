"""The signed statement of an authorization: in-toto Statement v1 in a DSSE envelope, signed with Ed25519.

Verifying a statement needs only the public key, not the server. The statement says what people decided; whether that
still holds is in the feed alone (`weighbridge.client.feed`).
https://github.com/secure-systems-lab/dsse, https://in-toto.io/Statement/v1
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from weighbridge.core.canonical import canonical_bytes, is_digest, plain
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:weighbridge:authorization:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
# Clocks of build machines differ; a statement issued a moment ago must not be rejected as not yet valid.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The predicate of the statement. Digests are `sha256:...`; times have a time zone."""

    authorization: str
    request: str
    decision: str
    environment: str
    issued_at: datetime
    expires_at: datetime
    policy_name: str
    policy_version: int
    policy_digest: str
    evidence_digest: str
    conditions: Sequence[str] = ()
    approvers: Sequence[str] = ()


def statement(*, subject_name: str, subject_digest: str, grant: Grant) -> dict[str, object]:
    """Return the in-toto statement about one artifact; raise Invalid unless its digest is a SHA-256."""
    if not is_digest(subject_digest):
        raise Invalid("The artifact has no SHA-256 digest, so it cannot be attested.", field="subject")
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject_name, "digest": {"sha256": subject_digest.removeprefix("sha256:")}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "authorization": grant.authorization,
            "request": grant.request,
            "decision": grant.decision,
            "environment": grant.environment,
            "issued_at": plain(grant.issued_at),
            "expires_at": plain(grant.expires_at),
            "conditions": list(grant.conditions),
            "policy": {"name": grant.policy_name, "version": grant.policy_version, "digest": grant.policy_digest},
            "evidence": {"digest": grant.evidence_digest},
            "approvers": list(grant.approvers),
        },
    }


def sign(statement: Mapping[str, object], *, private_key_pem: str) -> dict[str, object]:
    """Return the DSSE envelope of the canonical bytes of the statement."""
    key, own_id = _signer(private_key_pem)
    payload = canonical_bytes(statement)
    signature = key.sign(_pre_authentication(PAYLOAD_TYPE, payload))
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": _base64(payload),
        "signatures": [{"keyid": own_id, "sig": _base64(signature)}],
    }


def verify(envelope: object, *, public_key_pem: str) -> dict[str, object]:
    """Return the statement if one of the signatures was made by this key; raise Invalid otherwise.

    Key ids are hints and not trusted: every signature is tried. The payload is parsed only after one is valid.
    """
    key = _public_key(public_key_pem)
    if not isinstance(envelope, Mapping) or envelope.get("payloadType") != PAYLOAD_TYPE:
        raise Invalid(f"This is not a signed statement: its payload type is not {PAYLOAD_TYPE}.", code="not_dsse")
    payload = _unbase64(envelope.get("payload"))
    signed = _pre_authentication(PAYLOAD_TYPE, payload)
    if not any(_is_valid_signature(key, signature, signed) for signature in _signatures(envelope)):
        text = "No signature on this statement was made by the given key: it is forged, altered or from another server."
        raise Invalid(text, code="bad_signature")
    return _statement(payload)


def new_key_pem() -> str:
    """Return a new private key in PKCS #8 PEM; keep it secret."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(private_key_pem: str) -> str:
    """Return the public key in PEM; every gate needs it."""
    key = _private_key(private_key_pem).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def plain_public_pem(public_key_pem: str) -> str:
    """Return the same public key in PEM, without the text that a file may have around it."""
    return _public_key(public_key_pem).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id(public_key_pem: str) -> str:
    """Return `sha256:` and the digest of the public key in DER form."""
    der = _public_key(public_key_pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


@lru_cache(maxsize=8)
def _signer(private_key_pem: str) -> tuple[Ed25519PrivateKey, str]:
    """Return the key and its id. Kept, because reading a key takes longer than signing with it."""
    return _private_key(private_key_pem), key_id(public_pem(private_key_pem))


def _private_key(pem: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid("The signing key is not an unencrypted private key in PEM form.", code="bad_key") from error
    if not isinstance(key, Ed25519PrivateKey):
        text = "The signing key is not an Ed25519 key; create one with the command of this project."
        raise Invalid(text, code="bad_key")
    return key


def _public_key(pem: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid("The verification key is not a public key in PEM form.", code="bad_key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("The verification key is not an Ed25519 key.", code="bad_key")
    return key


def _pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding of DSSE: type, lengths and payload, so that the bytes are unambiguous."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _signatures(envelope: Mapping[str, object]) -> list[bytes]:
    entries = envelope.get("signatures")
    if not isinstance(entries, list):
        raise Invalid("This is not a signed statement: it has no signatures.", code="not_dsse")
    return [_unbase64(entry.get("sig")) for entry in entries if isinstance(entry, Mapping)]


def _is_valid_signature(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _statement(payload: bytes) -> dict[str, object]:
    content = parse_json(payload, name="The signed payload", code="not_a_statement")
    if not isinstance(content, dict) or content.get("_type") != STATEMENT_TYPE:
        raise Invalid("The signed payload is not an in-toto statement.", code="not_a_statement")
    return content


def _base64(content: bytes) -> str:
    return base64.standard_b64encode(content).decode()


def _unbase64(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError) as error:
        raise Invalid("The envelope is damaged: it contains invalid base64.", code="not_dsse") from error
