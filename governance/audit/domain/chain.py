"""The chain of the audit trail: each event is hashed together with the hash before it.

It proves that no row was changed, inserted or removed in the middle; missing rows at the end contradict a checkpoint.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weighbridge.core.canonical import DIGEST_PREFIX, canonical_bytes

GENESIS = DIGEST_PREFIX + "0" * 64
_PURPOSE = b"weighbridge.audit/1"  # keeps these hashes from being mistaken for digests of anything else


@dataclass(frozen=True)
class ChainLink:
    """A stored row: the event, the hash it follows and its own."""

    event: Mapping[str, object]
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Break:
    """The first invalid row, counted from 0, and the reason."""

    index: int
    reason: str


def link(previous_hash: str, event: Mapping[str, object]) -> str:
    """The hash of an event that follows `previous_hash`: SHA-256 over purpose, previous hash and canonical event.

    Store `canonical.plain(event)`: other values may have a different hash when they are read back.
    """
    return link_of_bytes(previous_hash, canonical_bytes(event))


def link_of_bytes(previous_hash: str, event: bytes) -> str:
    """The hash of an event whose canonical JSON is at hand."""
    content = b"\n".join((_PURPOSE, previous_hash.encode(), event))
    return DIGEST_PREFIX + hashlib.sha256(content).hexdigest()


def first_broken(rows: Iterable[ChainLink]) -> Break | None:
    """The first row of a complete trail that does not match the row before it, or None."""
    previous_hash = GENESIS
    for index, row in enumerate(rows):
        if row.previous_hash != previous_hash:
            return Break(index, "does not match the hash of the row before it: a row is missing, added or out of order")
        if row.hash != link(previous_hash, row.event):
            return Break(index, "does not match its own hash: its content was changed")
        previous_hash = row.hash
    return None
