"""The feed as one file: a head and all its entries. Whoever has both knows the latest entry of every artifact.

The root covers all entries, so none can be left out, changed or added; an older feed has an older head, which expires.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from weighbridge.client.feed import merkle
from weighbridge.client.feed.entries import Entry, instant, read_entry
from weighbridge.client.feed.heads import Head, freshness_fault, read_head
from weighbridge.client.feed.strict_json import read_object
from weighbridge.client.feed.verdicts import GateReply, GateVerdict, cannot_tell, plain_text
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid

BYTES_MAX = 1 << 28


@dataclass(frozen=True)
class Feed:
    """A verified feed: the head, its envelope, and all entries."""

    head: Head
    envelope: Mapping[str, object]
    entries: tuple[Entry, ...]

    @cached_property
    def latest(self) -> dict[tuple[str, str], Entry]:
        """The latest entry of each digest and environment."""
        return {(entry.digest, entry.environment): entry for entry in self.entries}

    def answer(self, *, digest: str, environment: str, now: datetime, max_age: timedelta | None = None) -> GateReply:
        """Decide whether the artifact may run in the environment at `now`; a stale head cannot tell."""
        if not is_digest(digest):
            return cannot_tell(f"{digest} is not a digest.")
        fault = freshness_fault(
            "The head of the feed", self.head.issued_at, self.head.expires_at, max_age=max_age, now=now
        )
        if fault is not None:
            return cannot_tell(fault)
        return answer_of(self.latest.get((digest, environment)), environment=environment, now=now)


def answer_of(entry: Entry | None, *, environment: str, now: datetime) -> GateReply:
    """Decide by the latest entry of an artifact; None if the feed has none."""
    if entry is None:
        reason = f"The feed has no entry for this artifact in {plain_text(environment)}."
        return GateReply(GateVerdict.REFUSED, (reason,))
    words = entry.standing.replace("_", " ")
    if entry.allowed_until is None:
        return GateReply(GateVerdict.REFUSED, (f"This artifact is {words} in {entry.environment}.",))
    if now >= instant(entry.allowed_until):
        reason = f"This artifact was {words} in {entry.environment} until {entry.allowed_until}."
        return GateReply(GateVerdict.REFUSED, (reason,))
    return GateReply(
        GateVerdict.ALLOWED, (f"This artifact is {words} in {entry.environment}.",), expires_at=entry.allowed_until
    )


def verified_feed(envelope: object, entries: Iterable[Entry], *, keys: Sequence[str]) -> Feed:
    """Return the feed if one of the keys signed the head and its root covers exactly these entries; raise Invalid."""
    head, rows = read_head(envelope, keys=keys), tuple(entries)
    if len(rows) != head.size or any(row.position != place for place, row in enumerate(rows, start=1)):
        text = f"The head of the feed names {head.size:,} entries, but they are not all there, in order."
        raise Invalid(text, code="feed_damaged")
    if merkle.root_of(row.leaf for row in rows) != head.root_hash:
        text = "The entries of the feed do not match its signed head: they were changed, or the history was."
        raise Invalid(text, code="feed_damaged")
    return Feed(head, envelope if isinstance(envelope, Mapping) else {}, rows)


def read_feed(path: Path, *, keys: Sequence[str]) -> Feed:
    """Read and verify a feed file; raise Invalid."""
    try:
        with path.open("rb") as stream:
            content = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code="file_unreadable") from error
    document = read_object(content, bytes_max=BYTES_MAX, name=path.name)
    return verified_feed(document.get("head"), read_entries(document), keys=keys)


def read_entries(document: Mapping[str, object]) -> tuple[Entry, ...]:
    """Return the entries of a feed file, or of a page of the feed; raise Invalid."""
    rows = document.get("entries")
    if not isinstance(rows, list):
        raise Invalid("This is not a feed: it has no list of entries.", code="feed_damaged")
    return tuple(read_entry(row) for row in rows)


def write_feed(path: Path, *, envelope: Mapping[str, object], entries: Iterable[Entry]) -> None:
    """Write a feed file; a reader sees the old file or the new one, never a part. Raises Invalid."""
    document = {"head": envelope, "entries": [asdict(entry) for entry in entries]}
    write_whole(path, json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once; raise Invalid if it cannot be written."""
    if str(path) == "-":
        raise Invalid("- is standard output, which cannot hold this; name a file.", code="file_unwritable")
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as fresh:
            fresh.write(text)
            fresh.flush()
            os.fsync(fresh.fileno())
        os.chmod(fresh.name, 0o644)  # noqa: PTH101 -- public, and other users read it: gates, web servers
        os.replace(fresh.name, path)  # noqa: PTH105 -- the name is that of the open file
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}.", code="file_unwritable") from error
