"""Mirror the feed of a server in a file, and check proofs of it. A history that was rewritten is refused."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from weighbridge.client.feed import merkle
from weighbridge.client.feed.document import Feed, read_entries, read_feed, verified_feed, write_feed
from weighbridge.client.feed.entries import Entry, read_entry
from weighbridge.client.feed.heads import Head, read_head
from weighbridge.client.server import PlatformServer
from weighbridge.core.errors import Invalid

HASH = re.compile(r"[0-9a-f]{64}")
REWRITTEN = "The feed of the server does not continue the one in the file: its history was rewritten."


def pull(path: Path, *, server: PlatformServer, keys: Sequence[str]) -> Feed:
    """Bring a feed file up to date; return the feed. Raises Refused, and then leaves the file as it is."""
    known = read_feed(path, keys=keys) if path.exists() else None
    entries = list(known.entries) if known else []
    answer = server.get("/api/v1/feed/head/", known=str(len(entries)))
    head = read_head(answer.get("head"), keys=keys)
    if known is not None and not _continues(known.head, head, _hashes(answer, "consistency")):
        raise Invalid(REWRITTEN, code="feed_rewritten")
    while len(entries) < head.size:
        page = read_entries(server.get("/api/v1/feed/", after=str(len(entries))))
        if not page:
            raise Invalid("The server has fewer entries than its head names.", code="feed_damaged")
        entries += page
    feed = verified_feed(answer.get("head"), entries[: head.size], keys=keys)
    write_feed(path, envelope=feed.envelope, entries=feed.entries)
    return feed


def prove(position: int, *, server: PlatformServer, keys: Sequence[str]) -> tuple[Entry, Head]:
    """Return the entry at a position with the head that it is proved to be under. Raises Refused."""
    answer = server.get(f"/api/v1/feed/entries/{position}/")
    entry, head = read_entry(answer.get("entry")), read_head(answer.get("head"), keys=keys)
    proof = _hashes(answer, "inclusion")
    if entry.position != position or not merkle.is_included(
        entry.leaf, position - 1, head.size, proof=proof, root=head.root_hash
    ):
        raise Invalid(f"The server did not prove that entry {position} is in its feed.", code="feed_damaged")
    return entry, head


def _continues(old: Head, new: Head, proof: Sequence[bytes]) -> bool:
    return old.size <= new.size and merkle.is_consistent(old.size, old.root_hash, new.size, new.root_hash, proof=proof)


def _hashes(answer: Mapping[str, object], name: str) -> list[bytes]:
    texts = answer.get(name)
    if not isinstance(texts, list) or not all(isinstance(text, str) and HASH.fullmatch(text) for text in texts):
        raise Invalid(f"The answer of the server has no {name} proof.", code="feed_damaged")
    return [bytes.fromhex(text) for text in texts]
