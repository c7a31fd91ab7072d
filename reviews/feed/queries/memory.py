"""The feed in the memory of a web process: the latest entry of every artifact, followed by position."""

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from governance.people.domain.roles import Person
from governance.site.domain.memory import Recent
from reviews.authorizations.domain.standing import Standing
from reviews.feed.models import FeedEntry
from reviews.feed.queries.entries import EMPTY_ROOT, size_and_root
from reviews.feed.queries.gate import GateDecision, allowed, denied
from reviews.feed.queries.heads import head_of, signed_summary
from reviews.feed.queries.latest import LatestEntry, entries_between
from reviews.requests.rules import Parties, may_see
from weighbridge.client.feed.document import answer_of

STATEMENTS_MAX, REASONS_MAX, REASONS_S = 8_192, 4_096, 1.0
Reasons = tuple[float, str, tuple[str, ...]]
NO_REASONS: Reasons = (float("-inf"), "", ())
NEVER = datetime.min.replace(tzinfo=UTC)
NOBODY = 0
SILENT = "The database does not answer, so this is the standing of {as_of:%Y-%m-%d %H:%M:%S} UTC."


@dataclass(frozen=True)
class FeedState:
    """A feed of this size and root, as it was at `as_of` or later; `read_s` is the same moment on the steady clock."""

    size: int = 0
    root: str = EMPTY_ROOT
    as_of: datetime = NEVER
    read_s: float = float("-inf")


class FeedMemory:
    """The latest entries with the size and the root of the feed that they belong to; both change together.

    Beside them are the signed statements of the authorizations asked for last, which never change, and the standing and
    the reasons of the latest denials with the moment they were read, by root, person and artifact.
    """

    def __init__(self) -> None:
        self.state = FeedState()
        self.statements: Recent[tuple[str, str], dict[str, Any]] = Recent(most=STATEMENTS_MAX)
        self.reasons: Recent[tuple[str, int, str, str], Reasons] = Recent(most=REASONS_MAX)
        self._latest: dict[bytes, LatestEntry] = {}
        self._lock = Lock()

    def follow(self, *, now: datetime, now_s: float) -> None:
        """Read what was published since the last time; everything where the feed does not continue (one thread only).

        Entries are in the order of their commits, so those up to the size that is read here are all there.
        """
        size, root = size_and_root()
        state = FeedState(size, root, now, now_s)
        if (size, root) == (self.state.size, self.state.root):
            self.state = state
            return
        is_longer = 0 < self.state.size <= size and self._continues()
        fresh = entries_between(after=self.state.size if is_longer else 0, size=size)
        entries = {_key(digest, environment): entry for digest, environment, entry in fresh}
        with self._lock:
            if self.state.size and not is_longer:  # a backup was restored: numbers may name other authorizations
                self._latest, self.statements = {}, Recent(most=STATEMENTS_MAX)
            self._latest.update(entries)
            self.state = state

    def _continues(self) -> bool:
        """Whether the feed still begins with the entries that are kept; not after a backup was restored."""
        return FeedEntry.objects.filter(position=self.state.size, root=self.state.root).exists()

    def find(self, digest: str, environment: str) -> "Found":
        """The latest entry of an artifact, and the feed that it is the latest one of."""
        with self._lock:
            return Found(digest, environment, self.state, self._latest.get(_key(digest, environment)))

    def keep(
        self, answer: GateDecision, *, question: tuple[str, str], person: Person, root: str, read_s: float
    ) -> None:
        """Keep what the database said in an answer: at `read_s` or later, under the feed with this root or a later."""
        if answer.statement is not None:
            self.statements.keep((answer.authorization, question[0]), answer.statement)
        if answer.answer == "deny":
            self.reasons.keep((root, person.id, *question), (read_s, answer.standing, answer.reasons))

    def __len__(self) -> int:
        return len(self._latest)


@dataclass(frozen=True)
class Found:
    """The latest entry of an artifact under a state of the feed; None if there is none."""

    digest: str
    environment: str
    state: FeedState
    entry: LatestEntry | None

    def allow(self, entry: LatestEntry, statement: dict[str, Any] | None, *, is_seen: bool) -> GateDecision:
        """The permission."""
        return allowed(entry, statement=statement, is_seen=is_seen, summary=self._summary(), as_of=self.state.as_of)

    def deny(self, standing: str, reasons: tuple[str, ...]) -> GateDecision:
        """The denial."""
        return denied(standing, reasons=reasons, summary=self._summary(), as_of=self.state.as_of)

    def _summary(self) -> dict[str, Any]:
        head = head_of((self.state.size, self.state.root), as_of=self.state.as_of)
        return signed_summary(head, entry=self.entry, digest=self.digest, environment=self.environment)


def decide_from_memory(
    memory: FeedMemory, *, digest: str, environment: str, person: Person, now: datetime, now_s: float
) -> GateDecision | None:
    """The answer of `decide`; None where it takes the database: for reasons, a statement, or the owner of a model."""
    found = memory.find(digest, environment)
    entry = found.entry
    if entry is None or not entry.allows(now):
        read_s, standing, reasons = memory.reasons.get((found.state.root, person.id, digest, environment)) or NO_REASONS
        return found.deny(standing, reasons) if now_s - read_s <= REASONS_S else None
    statement = memory.statements.get((entry.authorization, digest))
    if not _is_seen(person, entry) or (entry.authorization and statement is None):
        return None
    return found.allow(entry, statement, is_seen=True)


def decide_without_database(
    memory: FeedMemory, *, digest: str, environment: str, person: Person, now: datetime
) -> GateDecision:
    """The answer of `decide` as far as it is in memory: reasons of a denial and rare statements are left out."""
    found = memory.find(digest, environment)
    entry = found.entry
    if entry is not None and entry.allows(now):
        return found.allow(entry, memory.statements.get((entry.authorization, digest)), is_seen=_is_seen(person, entry))
    standing = Standing(entry.standing) if entry else Standing.UNKNOWN
    reply = answer_of(entry.published(digest, environment) if entry else None, environment=environment, now=now)
    reasons = (*reply.reasons, SILENT.format(as_of=found.state.as_of))
    return found.deny(Standing.EXPIRED if standing.is_allowed else standing, reasons)


def _is_seen(person: Person, entry: LatestEntry) -> bool:
    """Whether the person may see the request, as far as memory knows: the owner of a model may change."""
    return may_see(person, Parties(entry.team, entry.requester_id, NOBODY))


def _key(digest: str, environment: str) -> bytes:
    """The artifact in few bytes: a digest in hexadecimal takes twice as many."""
    return bytes.fromhex(digest.removeprefix("sha256:")) + environment.encode()
