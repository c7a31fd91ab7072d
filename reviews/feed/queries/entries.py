"""Reads of the entries of the feed, and of its Merkle tree."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db.models import QuerySet

from reviews.feed.models import FeedEntry
from weighbridge.client.feed import merkle
from weighbridge.client.feed.entries import Entry, instant_text
from weighbridge.client.feed.merkle import Nodes
from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import NotFound

T = TypeVar("T")
HASH_BYTES = 32
PAGE = 1000
CHUNK = 5000
EMPTY_ROOT = DIGEST_PREFIX + merkle.EMPTY_ROOT.hex()


def size_and_root() -> tuple[int, str]:
    """How many entries the feed has, and the root (`sha256:...`) of their tree."""
    last = FeedEntry.objects.order_by("-position").values_list("position", "root").first()
    return last or (0, EMPTY_ROOT)


def published(row: FeedEntry) -> Entry:
    """The entry as every gate sees it."""
    return Entry(
        position=row.position,
        digest=row.digest,
        environment=row.environment,
        standing=row.standing,
        allowed_until=instant_text(row.allowed_until) if row.allowed_until else None,
        at=instant_text(row.at),
    )


def page(*, after: int) -> list[Entry]:
    """The entries after a position, at most `PAGE`."""
    return [published(row) for row in _rows().filter(position__gt=after)[:PAGE]]


def first_entries(*, size: int) -> Iterator[Entry]:
    """The first `size` entries."""
    return (published(row) for row in _rows().filter(position__lte=size).iterator(chunk_size=CHUNK))


def entry_at(position: int) -> Entry:
    """The entry at a position; raise NotFound."""
    row = _rows().filter(position=position).first()
    if row is None:
        raise NotFound(f"The feed has no entry {position}.")
    return published(row)


def _rows() -> QuerySet[FeedEntry]:
    return FeedEntry.objects.order_by("position").defer("nodes", "reason")


def from_tree(compute: Callable[[Nodes], T]) -> T:
    """The result of a function that reads nodes of the tree. They are read at once: it must always ask for the same."""
    wanted: set[int] = set()

    def note(level: int, index: int) -> bytes:
        wanted.add((index + 1) << level)
        return b""

    compute(note)
    found = dict(FeedEntry.objects.filter(position__in=wanted).values_list("position", "nodes"))
    return compute(lambda level, index: bytes(found[(index + 1) << level])[level * HASH_BYTES :][:HASH_BYTES])
