"""What a ticket tracker may say: whether a delivery is genuine, what it hints at, and what a move of a ticket may mean.

A tracker informs. A move there may withdraw a request, close an action item, or say that somebody has seen it, by
somebody known here and allowed to; it never decides anything.
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

OLDEST = timedelta(hours=24)
"""A delivery is repeated for some hours; a signed body older than this is a replay."""
MARKER = "[ticket.tell:"
DONE_CATEGORY = "done"
_ALGORITHM = "sha256="


class Meaning(StrEnum):
    """What a move of a ticket to a status asks for."""

    NONE = "none"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"
    DECIDE = "decide"
    CLOSE = "close"


class MoveOutcome(StrEnum):
    """What became of a move: only mirrored, done as asked, or refused with a comment."""

    NOTED = "noted"
    DONE = "done"
    REFUSED = "refused"


class ReconciliationMode(StrEnum):
    """What a reconciliation does with a difference: tell it, read it into here, or put the ticket back."""

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
"""What a move to a status asks for, by the name of the status, unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What a delivery is about: the event's name and the issue's id; "" where it is about no issue."""

    event: str
    issue_id: str


@dataclass(frozen=True, slots=True)
class MoveAnswer:
    """What to do about a move. `is_to_try` where the rules of the request have the last word."""

    outcome: MoveOutcome
    reason: str = ""
    is_to_try: bool = False


def is_signed(*, body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether `signature` is the HMAC-SHA256 of the raw body under one of the secrets; every secret is tried, in
    constant time.
    """
    given = signature.removeprefix(_ALGORITHM).encode()
    right = [
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), given)
        for secret in secrets
        if secret
    ]
    return signature.startswith(_ALGORITHM) and any(right)


def hint_of(body: bytes) -> Hint:
    """What a genuine body hints at. Raises Invalid where it is no JSON object."""
    said = _object(body)
    issue = said.get("issue")
    issue_id = issue.get("id") if isinstance(issue, dict) else None
    return Hint(str(said.get("webhookEvent", ""))[:80], str(issue_id) if isinstance(issue_id, str | int) else "")


def is_too_old(body: bytes, now: datetime) -> bool:
    """Whether the body says that it was sent more than a day ago; a body that says nothing is not."""
    sent_ms = _object(body).get("timestamp")
    if not isinstance(sent_ms, int) or isinstance(sent_ms, bool):
        return False
    return now - datetime(1970, 1, 1, tzinfo=UTC) > timedelta(milliseconds=max(0, min(sent_ms, 2**48))) + OLDEST


def meaning_of(*, status: str, category: str, moves: Mapping[str, str], decisions: Collection[str]) -> Meaning:
    """What a move asks for: what `moves` say of the status; else a decision, where the status ends the work or is one
    of `decisions`.
    """
    named = {name.strip().casefold(): meaning for name, meaning in moves.items()}
    wanted = status.strip().casefold()
    if wanted in named:
        return Meaning(named[wanted])
    is_decision = category == DONE_CATEGORY or wanted in {name.strip().casefold() for name in decisions}
    return Meaning.DECIDE if is_decision else Meaning.NONE


def answer_to(meaning: Meaning, *, state: RequestState, ref: str, author: str, is_known: bool) -> MoveAnswer:
    """What to do about a move by `author`; `is_known`: an active person here who may see the request."""
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
            f"Moving the ticket decides nothing: {ref} is still {state.words}. It is decided by the votes on its page.",
        )
    if not is_known and meaning is Meaning.ACKNOWLEDGE:
        return MoveAnswer(MoveOutcome.NOTED)
    if not is_known:
        return MoveAnswer(
            MoveOutcome.REFUSED,
            f"{ref} was not withdrawn: {author or 'whoever moved the ticket'} is not known to Weighbridge by this Jira "
            "account. Withdraw it on its page, or ask an administrator to link the account.",
        )
    return MoveAnswer(MoveOutcome.DONE, is_to_try=meaning is Meaning.WITHDRAW)


def meaning_for_action(meaning: Meaning) -> Meaning:
    """What the same move asks for on the ticket of an action item: to end the work there closes the item."""
    return Meaning.CLOSE if meaning is Meaning.DECIDE else meaning


def answer_on_action(meaning: Meaning, *, is_closed: bool, ref: str, author: str, is_known: bool) -> MoveAnswer:
    """What to do about a move of an action item's ticket: see it, close it or drop it, by somebody known here."""
    if meaning is Meaning.NONE or is_closed:
        return MoveAnswer(MoveOutcome.NOTED)
    if not is_known:
        return MoveAnswer(
            MoveOutcome.REFUSED,
            f"{ref} is as it was: {author or 'whoever moved the ticket'} is not known to Weighbridge by this Jira "
            "account. Close it on its page, or ask an administrator to link the account.",
        )
    return MoveAnswer(MoveOutcome.DONE, is_to_try=True)


def is_own_comment(*, is_stored: bool, is_by_us: bool, text: str) -> bool:
    """Whether a comment is an echo of ours: its id was kept, or our account wrote it with our mark before we could keep
    it.
    """
    return is_stored or (is_by_us and MARKER in text)


def stands_at(*, wanted: str, status: str, categories: Collection[str]) -> bool:
    """Whether a ticket stands where we put it: in the status of that name, or in a category of that name."""
    return wanted.strip().casefold() in {name.strip().casefold() for name in (status, *categories)}


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not JSON.") from error
    if not isinstance(said, dict):
        raise Invalid("The body is not a JSON object.")
    return said
