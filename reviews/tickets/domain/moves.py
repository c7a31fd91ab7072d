"""Rules for data from the ticket tracker: signatures of webhook deliveries, and the meaning of ticket moves.

The tracker informs; it never approves. A move can withdraw a request, or acknowledge, close or drop an action item,
if the person who moved the ticket is linked to a user who may do this.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from reviews.requests.domain.lifecycle import TERMINAL, RequestState
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import DocumentLimits

AGE_MAX = timedelta(hours=24)
"""The tracker retries a delivery for some hours; a signed body that is older than this is a replay."""
BODY = DocumentLimits(bytes_max=25_000_000)
"""Jira sends no larger body."""
EPOCH, LAST_MS = datetime(1970, 1, 1, tzinfo=UTC), 2**47
EVENT_CHARS_MAX, ID_CHARS_MAX = 80, 40
MARKED = re.compile(r"\[ticket\.tell:[^\[\]\s]+\](?:\}\})?\s*\Z")
"""The end of each of our comments; in wiki markup, braces close it."""
DONE_CATEGORY = "done"
_ALGORITHM = "sha256="


class Meaning(StrEnum):
    """The meaning of a move of a ticket to a status."""

    NONE = "none"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"
    DECIDE = "decide"
    CLOSE = "close"


ENDING = frozenset({Meaning.WITHDRAW, Meaning.CLOSE})
"""What cannot be undone: a request is withdrawn, an action item is closed or dropped."""
MOVED_ON = "The ticket was moved on before Weighbridge read it, so this move changed nothing."


class MoveOutcome(StrEnum):
    """The outcome of a move: only mirrored, applied, or refused with a comment."""

    NOTED = "noted"
    DONE = "done"
    REFUSED = "refused"


class ReconciliationMode(StrEnum):
    """How a reconciliation handles a difference: report it, read the ticket again, or move the ticket back."""

    REPORT = "report"
    PULL = "pull"
    PUSH = "push"


MOVES: Mapping[str, str] = MappingProxyType(
    {
        "Won't Do": "withdraw",
        "Withdrawn": "withdraw",
        "Canceled": "withdraw",
        "Cancelled": "withdraw",
        "Acknowledged": "acknowledge",
        "In Progress": "acknowledge",
    }
)
"""The default meaning of a move by status name; the settings can override it."""


@dataclass(frozen=True, slots=True)
class Hint:
    """The subject of a delivery: the event name and the issue id, "" if there is no issue; and when it was sent.

    `sent_at` is signed with the body, unlike every header. None if the body has no time.
    """

    event: str
    issue_id: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveAnswer:
    """The answer to a move. `is_to_try`: apply it; the permission checks of the action may still refuse it."""

    outcome: MoveOutcome
    reason: str = ""
    is_to_try: bool = False


def has_valid_signature(*, body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether `signature` is the HMAC-SHA256 of the raw body under one of the secrets. Compares in constant time."""
    given = signature.removeprefix(_ALGORITHM).encode(errors="replace")
    matches = [
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), given)
        for secret in secrets
        if secret
    ]
    return signature.startswith(_ALGORITHM) and any(matches)


def hint_of(body: bytes) -> Hint:
    """The hint in a verified body. Raises Invalid if the body is not a JSON object, TooLarge if it is too long."""
    document = parse_object(body, name="The body", limits=BODY, is_cleaning=True)
    issue = _mapping_in(document, "issue")
    issue_id = issue.get("id")
    return Hint(
        event=str(document.get("webhookEvent", ""))[:EVENT_CHARS_MAX],
        issue_id=str(issue_id)[:ID_CHARS_MAX] if isinstance(issue_id, str | int) else "",
        sent_at=_sent_at(document, issue),
    )


def is_too_old(hint: Hint, now: datetime) -> bool:
    """Whether the time in the body is more than a day ago. A body without a time is not too old."""
    return hint.sent_at is not None and now - hint.sent_at > AGE_MAX


def meaning_of(*, status: str, category: str, moves: Mapping[str, str], decisions: Collection[str]) -> Meaning:
    """The meaning of a move: the entry for the status in `moves`; else a decision if the status is in the category
    "done" or in `decisions`.
    """
    named = {name.strip().casefold(): meaning for name, meaning in moves.items()}
    wanted = status.strip().casefold()
    if wanted in named:
        return Meaning(named[wanted])
    is_decision = category == DONE_CATEGORY or wanted in {name.strip().casefold() for name in decisions}
    return Meaning.DECIDE if is_decision else Meaning.NONE


def answer_on_request(meaning: Meaning, *, state: RequestState, ref: str, author: str, is_known: bool) -> MoveAnswer:
    """The answer to a move by `author`. `is_known`: the author is an active user who may see the request."""
    is_ended = state in TERMINAL
    if (
        meaning in {Meaning.NONE, Meaning.CLOSE}
        or is_ended
        or (meaning is Meaning.DECIDE and state is RequestState.CLEARED)
    ):
        return MoveAnswer(MoveOutcome.NOTED)
    if meaning is Meaning.DECIDE:
        return MoveAnswer(
            MoveOutcome.REFUSED,
            f"Moving the ticket decides nothing: {ref} is still {state.words}. Only votes on its page decide it.",
        )
    if not is_known and meaning is Meaning.ACKNOWLEDGE:
        return MoveAnswer(MoveOutcome.NOTED)
    if not is_known:
        return MoveAnswer(
            MoveOutcome.REFUSED,
            f"{ref} was not withdrawn: the Jira account of {author or 'the person who moved the ticket'} is not linked "
            "to a Weighbridge user. Withdraw the request on its page, or ask an administrator to link the account.",
        )
    return MoveAnswer(MoveOutcome.DONE, is_to_try=meaning is Meaning.WITHDRAW)


def meaning_for_action(meaning: Meaning) -> Meaning:
    """The meaning of the same move for the ticket of an action item: a decision closes the item."""
    return Meaning.CLOSE if meaning is Meaning.DECIDE else meaning


def answer_on_action(meaning: Meaning, *, is_closed: bool, ref: str, author: str, is_known: bool) -> MoveAnswer:
    """The answer to a move of the ticket of an action item. A known author may acknowledge, close or drop it."""
    if meaning is Meaning.NONE or is_closed:
        return MoveAnswer(MoveOutcome.NOTED)
    if not is_known:
        return MoveAnswer(
            MoveOutcome.REFUSED,
            f"{ref} was not changed: the Jira account of {author or 'the person who moved the ticket'} is not linked "
            "to a Weighbridge user. Close the item on its page, or ask an administrator to link the account.",
        )
    return MoveAnswer(MoveOutcome.DONE, is_to_try=True)


def is_own_comment(*, is_stored: bool, is_by_us: bool, text: str) -> bool:
    """Whether a comment is ours: its id is stored, or our account ended it with our marker before we could store it."""
    return is_stored or (is_by_us and MARKED.search(text) is not None)


def _sent_at(document: Mapping[str, Any], issue: Mapping[str, Any]) -> datetime | None:
    """The time of the event in milliseconds; without one, the time of the last change that the body names."""
    sent_ms = document.get("timestamp")
    if isinstance(sent_ms, int) and not isinstance(sent_ms, bool):
        return EPOCH + timedelta(milliseconds=max(0, min(sent_ms, LAST_MS)))
    changed = _mapping_in(document, "comment").get("updated") or _mapping_in(issue, "fields").get("updated")
    try:
        return datetime.strptime(str(changed), "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _mapping_in(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}
