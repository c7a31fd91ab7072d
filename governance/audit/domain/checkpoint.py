"""The checkpoint of an audit trail: its head, signed, in a line that can be printed and read back by hand.

Decides whether a checkpoint is genuine. A trail whose last events were taken away still holds as a chain; it
contradicts every checkpoint that names more. Signed like an authorization (in-toto statement, DSSE, Ed25519), told
apart by its predicate type, so that none can be passed off as the other.
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
    """At the time `at` (aware) the trail had `count` events, and the hash of the last was `head` (`sha256:...`)."""

    count: int
    head: str
    at: datetime


@dataclass(frozen=True)
class Signed:
    """A checkpoint with the signature (base64) and the id of the key that made it."""

    checkpoint: CheckpointStatement
    key_id: str
    signature: str

    @property
    def text(self) -> str:
        """The checkpoint as one line; spaces and line breaks that a printer adds do no harm."""
        said = self.checkpoint
        parts = (MARK, str(said.count), str(plain(said.at)), said.head, self.key_id, self.signature)
        return SEPARATOR.join(parts)


def sign(checkpoint: CheckpointStatement, *, private_key_pem: str) -> Signed:
    """Sign with the key that signs authorizations."""
    envelope = attestation.sign(_statement(checkpoint), private_key_pem=private_key_pem)
    (entry,) = cast("list[dict[str, str]]", envelope["signatures"])
    return Signed(checkpoint, entry["keyid"], entry["sig"])


def read(text: str) -> Signed:
    """A printed checkpoint read back; nothing is verified yet. Raises Invalid for anything else."""
    parts = "".join(text.split()).split(SEPARATOR)
    if len(parts) != PARTS or parts[0] != MARK:
        raise _damaged("it does not begin and go on like one")
    _, count, at, head, key_id, signature = parts
    if not (is_digest(head) and is_digest(key_id) and _is_signature(signature)):
        raise _damaged("its hash, its key or its signature")
    signed = Signed(CheckpointStatement(_count(count), head, _instant(at)), key_id, signature)
    if signed.text != SEPARATOR.join(parts):
        raise _damaged("its count or its time is not written as it is printed")
    return signed


def verify(signed: Signed, *, public_key_pem: str) -> None:
    """Raise Invalid unless exactly this checkpoint was signed by the key."""
    own = attestation.key_id(public_key_pem)
    if signed.key_id != own:
        raise Invalid(
            f"The checkpoint names the key {signed.key_id}, the key given is {own}; give the key it was signed with.",
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
    """The DSSE envelope, made anew from what was printed: a byte that differs gives another payload."""
    return {
        "payloadType": attestation.PAYLOAD_TYPE,
        "payload": base64.b64encode(canonical_bytes(_statement(signed.checkpoint))).decode(),
        "signatures": [{"keyid": signed.key_id, "sig": signed.signature}],
    }


def _is_signature(text: str) -> bool:
    """Whether the text is the one spelling of 64 bytes; base64 has others, which a careless reader takes as well."""
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
    return Invalid(f"This is no checkpoint as packets print them, or a damaged one: {what}.", code="not_a_checkpoint")
