"""Rules for data from the ticket tracker: signatures of webhook deliveries, and the meaning of ticket moves.

The tracker informs; it never approves. A move can withdraw a request, or acknowledge, close or drop an action item,
if the person who moved the ticket is linked to a user who may do this.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from reviews.requests.domain.lifecycle import TERMINAL, RequestState
from weighbridge.core.errors import Invalid

AGE_MAX = timedelta(hours=24)
"""The tracker retries a delivery for some hours; a signed body that is older than this is a replay."""
MARKER = "[ticket.tell:"
DONE_CATEGORY = "done"
_ALGORITHM = "sha256="


class Meaning(StrEnum):
    """The meaning of a move of a ticket to a status."""

    NONE = "none"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"
    DECIDE = "decide"
    CLOSE = "close"


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
    """The subject of a delivery: the event name and the issue id; the id is "" if there is no issue."""

    event: str
    issue_id: str


@dataclass(frozen=True, slots=True)
class MoveAnswer:
    """The answer to a move. `is_to_try`: apply it; the permission checks of the action may still refuse it."""

    outcome: MoveOutcome
    reason: str = ""
    is_to_try: bool = False


def has_valid_signature(*, body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether `signature` is the HMAC-SHA256 of the raw body under one of the secrets. Compares in constant time."""
    given = signature.removeprefix(_ALGORITHM).encode()
    matches = [
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), given)
        for secret in secrets
        if secret
    ]
    return signature.startswith(_ALGORITHM) and any(matches)


def hint_of(body: bytes) -> Hint:
    """The hint in a verified body. Raises Invalid if the body is not a JSON object."""
    document = _object(body)
    issue = document.get("issue")
    issue_id = issue.get("id") if isinstance(issue, dict) else None
    return Hint(str(document.get("webhookEvent", ""))[:80], str(issue_id) if isinstance(issue_id, str | int) else "")


def is_too_old(body: bytes, now: datetime) -> bool:
    """Whether the timestamp in the body is more than a day old. A body without a timestamp is not too old."""
    sent_ms = _object(body).get("timestamp")
    if not isinstance(sent_ms, int) or isinstance(sent_ms, bool):
        return False
    return now - datetime(1970, 1, 1, tzinfo=UTC) > timedelta(milliseconds=max(0, min(sent_ms, 2**48))) + AGE_MAX


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
    """Whether a comment is ours: its id is stored, or our account wrote it with our marker before we could store it."""
    return is_stored or (is_by_us and MARKER in text)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise Invalid("The body is not a JSON object.")
    return document
