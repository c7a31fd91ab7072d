"""Heads of the feed, and the signed answer about one artifact."""

from datetime import datetime, timedelta

from django.conf import settings

from governance.audit.queries.keys import signing_key
from governance.people.queries.people import gate_keeps_s
from governance.site.domain.memory import Kept
from reviews.feed.models import FeedEntry
from reviews.feed.queries.entries import from_tree, published, size_and_root
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
    """The same for one signed answer: valid for a few minutes, and of the feed as the gate knows it."""
    return _head(_kept_state(), now, min(ANSWER_VALID, timedelta(seconds=settings.WEIGHBRIDGE["FEED_HEAD_S"])))


def _head(state: tuple[int, str], now: datetime, valid: timedelta) -> Head:
    size, root = state
    return Head(settings.WEIGHBRIDGE["BASE_URL"], size, root, now, now + valid)


def signed_head(head: Head) -> dict[str, object]:
    """The envelope of a head."""
    return attestation.sign(head_statement(head), private_key_pem=signing_key())


def signed_summary(head: Head, *, entry: FeedEntry | None, digest: str, environment: str) -> dict[str, object]:
    """The envelope of the answer about an artifact by its latest entry under the head."""
    policy = entry.request.policy if entry is not None and entry.request is not None else None
    statement = summary_statement(
        head,
        entry=published(entry) if entry else None,
        digest=digest,
        environment=environment,
        policy_digest=policy.digest if policy else "",
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
