"""The head of the feed: the signed, short-lived statement of how many entries it has and of the root of their tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from weighbridge.client.feed.entries import instant, instant_text
from weighbridge.client.feed.keys import verified
from weighbridge.core.attestation import CLOCK_TOLERANCE, STATEMENT_TYPE
from weighbridge.core.canonical import DIGEST_PREFIX, is_digest
from weighbridge.core.errors import Invalid

PREDICATE_TYPE = "urn:weighbridge:feed-head:v1"
SUBJECT = "feed"


@dataclass(frozen=True)
class Head:
    """A head: `size` entries with the root `root` (`sha256:...`), signed at `issued_at`, valid until `expires_at`."""

    origin: str
    size: int
    root: str
    issued_at: datetime
    expires_at: datetime

    @property
    def root_hash(self) -> bytes:
        """The root as bytes."""
        return bytes.fromhex(self.root.removeprefix(DIGEST_PREFIX))


def head_statement(head: Head) -> dict[str, object]:
    """Return the in-toto statement of a head."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": SUBJECT, "digest": {"sha256": head.root.removeprefix(DIGEST_PREFIX)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "origin": head.origin,
            "size": head.size,
            "issuedAt": instant_text(head.issued_at),
            "expiresAt": instant_text(head.expires_at),
        },
    }


def read_head(envelope: object, *, keys: Sequence[str]) -> Head:
    """Return the head that one of the keys signed; raise Invalid."""
    statement = verified(envelope, keys=keys)
    predicate = statement.get("predicate")
    if statement.get("predicateType") != PREDICATE_TYPE or not isinstance(predicate, Mapping):
        raise Invalid("The statement is not a head of the feed.", code="not_a_head")
    origin, size, root = predicate.get("origin"), predicate.get("size"), subject_digest(statement)
    if not isinstance(origin, str) or type(size) is not int or size < 0:
        raise Invalid("The head of the feed has no origin or no size.", code="not_a_head")
    return Head(origin, size, root, instant(predicate.get("issuedAt")), instant(predicate.get("expiresAt")))


def subject_digest(statement: Mapping[str, object]) -> str:
    """Return the digest (`sha256:...`) of the one subject of a statement; raise Invalid."""
    match statement.get("subject"):
        case [{"digest": {"sha256": str(digest)}}] if is_digest(DIGEST_PREFIX + digest):
            return DIGEST_PREFIX + digest
    raise Invalid("The statement must have one subject with one SHA-256 digest.", code="not_a_statement")


def freshness_fault(
    what: str, issued_at: datetime, expires_at: datetime, *, max_age: timedelta | None, now: datetime
) -> str | None:
    """Return why a statement cannot be used at `now`, or None. `max_age` may demand a fresher one than its expiry."""
    if now >= expires_at:
        return f"{what} expired at {instant_text(expires_at)}; get a fresh one."
    if issued_at > now + CLOCK_TOLERANCE:
        return f"{what} is from the future ({instant_text(issued_at)}); check the clock of this machine."
    if max_age is not None and now - issued_at > max_age:
        return f"{what} was signed at {instant_text(issued_at)}, more than {max_age.total_seconds():g} s ago."
    return None
