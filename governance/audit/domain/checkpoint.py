"""Checkpoints of the audit trail: the signed head, as one line that can be printed and typed back.

A trail without its last events is still a valid chain, but contradicts each checkpoint that names more events. They are
signed like authorizations (in-toto statement, DSSE, Ed25519), with a predicate type of their own.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from weighbridge.core import attestation
from weighbridge.core.canonical import canonical_bytes, is_digest, plain
from weighbridge.core.errors import Invalid

PREDICATE_TYPE = "urn:weighbridge:checkpoint:v1"
MARK, SEPARATOR = "weighbridge-checkpoint-1", ";"
SUBJECT = "audit trail"
PARTS, SIGNATURE_BYTES, COUNT_DIGITS_MAX = 6, 64, 18


@dataclass(frozen=True)
class CheckpointStatement:
    """At the time `at` (aware), the trail had `count` events, and the last hash was `head` (`sha256:...`)."""

    count: int
    head: str
    at: datetime


@dataclass(frozen=True)
class Signed:
    """A checkpoint with its signature (base64) and the ID of the signing key."""

    checkpoint: CheckpointStatement
    key_id: str
    signature: str

    @property
    def text(self) -> str:
        """The checkpoint as one line. Additional spaces and line breaks are ignored when it is read."""
        statement = self.checkpoint
        parts = (MARK, str(statement.count), str(plain(statement.at)), statement.head, self.key_id, self.signature)
        return SEPARATOR.join(parts)


def sign(checkpoint: CheckpointStatement, *, private_key_pem: str) -> Signed:
    """Sign with the key that signs authorizations."""
    envelope = attestation.sign(_statement(checkpoint), private_key_pem=private_key_pem)
    (entry,) = cast("list[dict[str, str]]", envelope["signatures"])
    return Signed(checkpoint, entry["keyid"], entry["sig"])


def read(text: str) -> Signed:
    """Parse a printed checkpoint without verifying it. Raises Invalid for anything else."""
    parts = "".join(text.split()).split(SEPARATOR)
    if len(parts) != PARTS or parts[0] != MARK:
        raise _damaged("it does not have the format of a checkpoint")
    _, count, at, head, key_id, signature = parts
    if not (is_digest(head) and is_digest(key_id) and _is_signature(signature)):
        raise _damaged("its hash, its key or its signature")
    signed = Signed(CheckpointStatement(_count(count), head, _instant(at)), key_id, signature)
    if signed.text != SEPARATOR.join(parts):
        raise _damaged("its count or its time is not in the printed format")
    return signed


def verify(signed: Signed, *, public_key_pem: str) -> None:
    """Raise Invalid unless exactly this checkpoint was signed by the key."""
    own = attestation.key_id(public_key_pem)
    if signed.key_id != own:
        raise Invalid(
            f"The checkpoint names the key {signed.key_id}, but the given key is {own}. Give the key that signed it.",
            code="other_key",
        )
    attestation.verify(_envelope(signed), public_key_pem=public_key_pem)


def _statement(checkpoint: CheckpointStatement) -> dict[str, object]:
    return {
        "_type": attestation.STATEMENT_TYPE,
        "subject": [{"name": SUBJECT, "digest": {"sha256": checkpoint.head.removeprefix("sha256:")}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"count": checkpoint.count, "at": plain(checkpoint.at)},
    }


def _envelope(signed: Signed) -> dict[str, object]:
    """The DSSE envelope, rebuilt from the printed values. Any changed byte results in another payload."""
    return {
        "payloadType": attestation.PAYLOAD_TYPE,
        "payload": base64.b64encode(canonical_bytes(_statement(signed.checkpoint))).decode(),
        "signatures": [{"keyid": signed.key_id, "sig": signed.signature}],
    }


def _is_signature(text: str) -> bool:
    """Whether the text is the canonical base64 encoding of 64 bytes. Lenient decoders accept other encodings too."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(content) == SIGNATURE_BYTES and base64.b64encode(content).decode() == text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= COUNT_DIGITS_MAX):
        raise _damaged("its count")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _damaged("its time") from error
    if moment.tzinfo is not UTC:
        raise _damaged("its time is not UTC")
    return moment


def _damaged(what: str) -> Invalid:
    return Invalid(f"This is not a checkpoint from a packet, or it is damaged: {what}.", code="not_a_checkpoint")
