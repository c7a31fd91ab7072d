"""The states of a request and the transitions between them.

A request and its authorization have separate states: the request is work that ends, the authorization is a permission
that continues and can be revoked (`reviews/authorizations/domain/authorization_states.py`). This module only checks
whether the state allows a step; `reviews/requests/rules.py` checks whether the person may take it.
`docs/reference/lifecycle.md` is generated from these tables.
"""

from reviews.requests.domain.transition_types import (
    Actor,
    OwnedState,
    Transition,
    possible_steps_text,
    transitions,
    transitions_from,
)
from weighbridge.core.errors import WrongState


def check_seen(seen: int | None, *, revision: int, advice: str) -> None:
    """Raise WrongState if a person saw another revision than the present one; None means that none was named."""
    if seen not in {None, revision}:
        raise WrongState(f"You saw revision {seen}, and this is revision {revision}. {advice}", code="changed")


class RequestState(OwnedState):
    """State of a model review request."""

    DRAFT = "draft", Actor.REQUESTER, "being filled in by the requester"
    SCREENING = "screening", Actor.SYSTEM, "the policy is being evaluated on the metric values given"
    CLEARED = "cleared", Actor.SYSTEM, "no rule fired; evaluated again when measured or billed metric values arrive"
    EVIDENCE = "evidence", Actor.REQUESTER, "review is mandatory; benchmarks run and the checklist is open"
    IN_REVIEW = "in_review", Actor.REVIEWER, "the revision is frozen and the stages vote"
    CHANGES_REQUESTED = "changes_requested", Actor.REQUESTER, "a reviewer wants a new revision"
    DECIDED = "decided", Actor.SYSTEM, "approved, approved with conditions, or rejected"
    WITHDRAWN = "withdrawn", Actor.SYSTEM, "pulled out by the requester"
    EXPIRED = "expired", Actor.SYSTEM, "nobody acted before the deadline"

    @property
    def words(self) -> str:
        """The name as used in sentences: what a request is."""
        return _WORDS.get(self.value) or super().words


_WORDS = {"draft": "a draft", "evidence": "gathering evidence", "changes_requested": "sent back for changes"}

_DRAFT, _EVIDENCE, _IN_REVIEW = RequestState.DRAFT, RequestState.EVIDENCE, RequestState.IN_REVIEW
_SCREENING, _CLEARED, _CHANGES = RequestState.SCREENING, RequestState.CLEARED, RequestState.CHANGES_REQUESTED
_EXPIRE_EFFECTS = "reservation released, requester told; never an approval"

TRANSITIONS: tuple[Transition[RequestState], ...] = transitions(
    {
        ((_DRAFT,), _SCREENING, "submit", Actor.REQUESTER): (
            "required fields given, artifact digest known, owner set, requester acts for the team",
            "revision 1 recorded; policy, stages and checklist fixed for this request",
        ),
        ((_SCREENING,), _CLEARED, "screen", Actor.SYSTEM): (
            "every rule passes, none is indeterminate",
            "policy evaluation stored; inventory entry with expiry",
        ),
        ((_SCREENING,), _EVIDENCE, "screen", Actor.SYSTEM): (
            "a rule fired or is indeterminate",
            "policy evaluation stored; ticket and benchmark runs requested in the same transaction; checklist opened",
        ),
        ((_CLEARED,), _EVIDENCE, "escalate", Actor.SYSTEM): (
            "measured or billed metric values arrived and a rule fires on them",
            "new policy evaluation stored; ticket and benchmark runs requested; checklist opened",
        ),
        ((_EVIDENCE,), _IN_REVIEW, "request_review", Actor.REQUESTER): (
            "checklist complete, evidence valid and current, contradicted claims answered",
            "revision frozen with its bundle digest; budget reserved; reviewers asked",
        ),
        ((_IN_REVIEW,), _CHANGES, "request_changes", Actor.REVIEWER): (
            "an eligible reviewer gives a reason",
            "votes kept as history and void for the next revision",
        ),
        ((_CHANGES,), _EVIDENCE, "revise", Actor.REQUESTER): (
            "",
            "revision n+1 opened; the difference is shown to reviewers",
        ),
        ((_IN_REVIEW,), _EVIDENCE, "revise", Actor.REQUESTER): (
            "new evidence, or a changed subject",
            "revision n+1 opened; votes void",
        ),
        ((_IN_REVIEW,), RequestState.DECIDED, "decide", Actor.SYSTEM): (
            (
                "stages complete or a veto; revision unchanged since the freeze; policy evaluated again and not worse; "
                "budget available"
            ),
            (
                "decision stored; on approval authorization signed and budget committed, on rejection reservation "
                "released; ticket moved"
            ),
        ),
        ((_DRAFT, _EVIDENCE, _IN_REVIEW, _CHANGES), RequestState.WITHDRAWN, "withdraw", Actor.REQUESTER): (
            "asked by the requester, the model owner or an administrator, with a reason",
            "runs canceled, reservation released, ticket closed",
        ),
        ((_EVIDENCE,), RequestState.EXPIRED, "expire", Actor.SYSTEM): (
            "the deadline has passed, and for a later revision its grace too, after one escalation",
            _EXPIRE_EFFECTS,
        ),
        ((_IN_REVIEW, _CHANGES), RequestState.EXPIRED, "expire", Actor.SYSTEM): (
            "deadline and grace have passed, after one escalation",
            _EXPIRE_EFFECTS,
        ),
        ((_CLEARED,), RequestState.EXPIRED, "expire", Actor.SYSTEM): (
            "the inventory entry has passed its expiry",
            _EXPIRE_EFFECTS,
        ),
    }
)


TERMINAL: frozenset[RequestState] = frozenset(RequestState) - {step.source for step in TRANSITIONS}
OPEN_STATES: frozenset[RequestState] = frozenset(RequestState) - TERMINAL
"""At most one request per model version and purpose may be in these states; the database enforces this."""
EDITABLE_STATES: frozenset[RequestState] = frozenset({RequestState.DRAFT, RequestState.EVIDENCE})
"""In these states, metric values and answers may be written without opening a new revision."""
AMENDABLE_STATES: frozenset[RequestState] = frozenset(
    {RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED}
)
"""In these states, texts and data may be changed, each time as a new revision."""


def check_transition(*, source: RequestState, target: RequestState) -> None:
    """Raise `WrongState`, with the possible steps, unless a request may go from `source` straight to `target`."""
    if not any(step.target == target for step in transitions_from(source, TRANSITIONS)):
        raise WrongState(
            f"A request that is {source.words} cannot become {target.words}. "
            + possible_steps_text("request", source, TRANSITIONS)
        )


def may_act(*, source: RequestState, action: str) -> bool:
    """Whether a request in this state has a step with this name."""
    return any(step.action == action for step in transitions_from(source, TRANSITIONS))


def check_action(*, source: RequestState, action: str) -> None:
    """Raise `WrongState`, with the possible steps, unless a request in this state has a step with this name."""
    if not may_act(source=source, action=action):
        raise WrongState(
            f"A request that is {source.words} offers no step “{action.replace('_', ' ')}”. "
            + possible_steps_text("request", source, TRANSITIONS)
        )


def check_editable(*, source: RequestState) -> None:
    """Raise `WrongState` unless metric values and answers may be written in this state."""
    if source not in EDITABLE_STATES:
        hint = " Revise it first, which voids the votes." if may_act(source=source, action="revise") else ""
        raise WrongState(f"The request is {source.words}, so its evidence cannot be edited.{hint}")
