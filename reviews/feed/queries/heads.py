"""Heads of the feed, and the signed answer about one artifact."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from governance.audit.queries.keys import signing_key
from governance.people.queries.people import gate_keeps_s
from governance.site.domain.memory import Kept
from reviews.feed.queries.entries import from_tree, size_and_root
from reviews.feed.queries.latest import LatestEntry
from weighbridge.client.feed import merkle
from weighbridge.client.feed.heads import Head, head_statement
from weighbridge.client.feed.summaries import summary_statement
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid

ANSWER_VALID = timedelta(minutes=5)
_kept_state = Kept(size_and_root, seconds=gate_keeps_s, most=1)


def head_at(now: datetime) -> Head:
    """The head of the feed as it is, valid for `WEIGHBRIDGE_FEED_HEAD_S`."""
    return _head(size_and_root(), now, timedelta(seconds=settings.WEIGHBRIDGE["FEED_HEAD_S"]))


def answer_head(now: datetime) -> Head:
    """The same for one signed answer: of the feed as the gate read it a moment ago."""
    return head_of(_kept_state(), as_of=now - timedelta(seconds=gate_keeps_s()))


def head_of(state: tuple[int, str], *, as_of: datetime) -> Head:
    """The head for one signed answer: a feed of this size and root at `as_of` or later, valid for a few minutes."""
    return _head(state, as_of, min(ANSWER_VALID, timedelta(seconds=settings.WEIGHBRIDGE["FEED_HEAD_S"])))


def _head(state: tuple[int, str], now: datetime, valid: timedelta) -> Head:
    size, root = state
    return Head(settings.WEIGHBRIDGE["BASE_URL"], size, root, now, now + valid)


def signed_head(head: Head) -> dict[str, object]:
    """The envelope of a head."""
    return attestation.sign(head_statement(head), private_key_pem=signing_key())


def signed_summary(head: Head, *, entry: LatestEntry | None, digest: str, environment: str) -> dict[str, Any]:
    """The envelope of the answer about an artifact by its latest entry under the head."""
    statement = summary_statement(
        head,
        entry=entry.published(digest, environment) if entry else None,
        digest=digest,
        environment=environment,
        policy_digest=entry.policy_digest if entry else "",
    )
    return attestation.sign(statement, private_key_pem=signing_key())


def consistency(*, known: int, size: int) -> list[str]:
    """The proof (hexadecimal hashes) that the first `known` entries are a prefix of the first `size`; Invalid."""
    if known > size:
        raise Invalid(f"The feed has {size:,} entries, not {known:,}.", field="known")
    return _hexadecimal(from_tree(lambda nodes: merkle.consistency_proof(known, size, nodes)))


def inclusion(*, position: int, size: int) -> list[str]:
    """The proof (hexadecimal hashes) that the entry at `position` is one of the first `size`."""
    return _hexadecimal(from_tree(lambda nodes: merkle.inclusion_proof(position - 1, size, nodes)))


def _hexadecimal(proof: tuple[bytes, ...]) -> list[str]:
    return [each.hex() for each in proof]
