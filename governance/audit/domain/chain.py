"""The chain of the audit trail: each event is hashed together with the hash before it.

Proves that no row was changed, inserted or taken from the middle. A chain cut at its end still holds: compare its head
with one written down elsewhere (every packet prints it).
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
    """The first bad row, counted from 0, and what is wrong with it."""

    index: int
    reason: str


def link(previous_hash: str, event: Mapping[str, object]) -> str:
    """The hash of an event that follows `previous_hash`: SHA-256 over purpose, previous hash and canonical event.

    Store `canonical.plain(event)`: what a database makes of richer values may not hash the same when it is read back.
    """
    content = b"\n".join((_PURPOSE, previous_hash.encode(), canonical_bytes(event)))
    return DIGEST_PREFIX + hashlib.sha256(content).hexdigest()


def first_broken(rows: Iterable[ChainLink], *, previous_hash: str = GENESIS) -> Break | None:
    """The first row that does not follow from the one before it, or None when the chain holds.

    `previous_hash` is where the rows are expected to start; the genesis for a whole trail.
    """
    for index, row in enumerate(rows):
        if row.previous_hash != previous_hash:
            return Break(index, "does not follow the row before it: a row is missing, added or out of order")
        if row.hash != link(previous_hash, row.event):
            return Break(index, "does not match its own hash: its content was changed")
        previous_hash = row.hash
    return None
