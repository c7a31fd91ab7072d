"""The states of a request and the transitions between them.

A request and its authorization have separate states: the request is work that ends, the authorization is a permission
that continues and can be revoked (`reviews/authorizations/domain.py`). This module only checks whether the state allows
a step; `reviews/requests/rules.py` checks whether the person may take it. `docs/reference/lifecycle.md` is generated
from these tables.
"""

from collections.abc import Mapping

from reviews.requests.domain.steps import Actor, NamedState, Transition, possible_steps_text, transitions_from
from weighbridge.core.errors import WrongState


class RequestState(NamedState):
    """State of a model review request."""

    DRAFT = "draft"
    SCREENING = "screening"
    CLEARED = "cleared"
    EVIDENCE = "evidence"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return OWNER[self]

    @property
    def meaning(self) -> str:
        """The meaning of the state, as a phrase for a page."""
        return MEANING[self]


OWNER: Mapping[RequestState, Actor] = {
    RequestState.DRAFT: Actor.REQUESTER,
    RequestState.SCREENING: Actor.SYSTEM,
    RequestState.CLEARED: Actor.SYSTEM,
    RequestState.EVIDENCE: Actor.REQUESTER,
    RequestState.IN_REVIEW: Actor.REVIEWER,
    RequestState.CHANGES_REQUESTED: Actor.REQUESTER,
    RequestState.DECIDED: Actor.SYSTEM,
    RequestState.WITHDRAWN: Actor.SYSTEM,
    RequestState.EXPIRED: Actor.SYSTEM,
}

MEANING: Mapping[RequestState, str] = {
    RequestState.DRAFT: "being filled in by the requester",
    RequestState.SCREENING: "the policy is being evaluated on the metric values given",
    RequestState.CLEARED: "no rule fired; evaluated again when measured or billed metric values arrive",
    RequestState.EVIDENCE: "review is mandatory; benchmarks run and the checklist is open",
    RequestState.IN_REVIEW: "the revision is frozen and the stages vote",
    RequestState.CHANGES_REQUESTED: "a reviewer wants a new revision",
    RequestState.DECIDED: "approved, approved with conditions, or rejected",
    RequestState.WITHDRAWN: "pulled out by the requester",
    RequestState.EXPIRED: "nobody acted before the deadline",
}

_WITHDRAW_GUARDS = "asked by the requester, the model owner or an administrator, with a reason"
_WITHDRAW_EFFECTS = "runs canceled, reservation released, ticket closed"
_EXPIRE_GUARDS = "deadline and grace have passed, after one escalation"
_EXPIRE_EFFECTS = "reservation released, requester told; never an approval"


def _withdraw(source: RequestState) -> Transition[RequestState]:
    return Transition(source, RequestState.WITHDRAWN, "withdraw", Actor.REQUESTER, _WITHDRAW_GUARDS, _WITHDRAW_EFFECTS)


def _expire(source: RequestState, guards: str = _EXPIRE_GUARDS) -> Transition[RequestState]:
    return Transition(source, RequestState.EXPIRED, "expire", Actor.SYSTEM, guards, _EXPIRE_EFFECTS)


TRANSITIONS: tuple[Transition[RequestState], ...] = (
    Transition(
        RequestState.DRAFT,
        RequestState.SCREENING,
        "submit",
        Actor.REQUESTER,
        "required fields given, artifact digest known, owner set, requester acts for the team",
        "revision 1 recorded; policy, stages and checklist fixed for this request",
    ),
    Transition(
        RequestState.SCREENING,
        RequestState.CLEARED,
        "screen",
        Actor.SYSTEM,
        "every rule passes, none is indeterminate",
        "policy evaluation stored; inventory entry with expiry",
    ),
    Transition(
        RequestState.SCREENING,
        RequestState.EVIDENCE,
        "screen",
        Actor.SYSTEM,
        "a rule fired or is indeterminate",
        "policy evaluation stored; ticket and benchmark runs requested in the same transaction; checklist opened",
    ),
    Transition(
        RequestState.CLEARED,
        RequestState.EVIDENCE,
        "escalate",
        Actor.SYSTEM,
        "measured or billed metric values arrived and a rule fires on them",
        "new policy evaluation stored; ticket and benchmark runs requested; checklist opened",
    ),
    Transition(
        RequestState.EVIDENCE,
        RequestState.IN_REVIEW,
        "request_review",
        Actor.REQUESTER,
        "checklist complete, evidence valid and current, contradicted claims answered",
        "revision frozen with its bundle digest; budget reserved; reviewers asked",
    ),
    Transition(
        RequestState.IN_REVIEW,
        RequestState.CHANGES_REQUESTED,
        "request_changes",
        Actor.REVIEWER,
        "an eligible reviewer gives a reason",
        "votes kept as history and void for the next revision",
    ),
    Transition(
        RequestState.CHANGES_REQUESTED,
        RequestState.EVIDENCE,
        "revise",
        Actor.REQUESTER,
        "",
        "revision n+1 opened; the difference is shown to reviewers",
    ),
    Transition(
        RequestState.IN_REVIEW,
        RequestState.EVIDENCE,
        "revise",
        Actor.REQUESTER,
        "new evidence, or a changed subject",
        "revision n+1 opened; votes void",
    ),
    Transition(
        RequestState.IN_REVIEW,
        RequestState.DECIDED,
        "decide",
        Actor.SYSTEM,
        "stages complete or a veto; revision unchanged since the freeze; policy evaluated again and not worse; "
        "budget available",
        "decision stored; on approval authorization signed and budget committed, on rejection reservation released; "
        "ticket moved",
    ),
    *(
        _withdraw(source)
        for source in (
            RequestState.DRAFT,
            RequestState.EVIDENCE,
            RequestState.IN_REVIEW,
            RequestState.CHANGES_REQUESTED,
        )
    ),
    *(_expire(source) for source in (RequestState.EVIDENCE, RequestState.IN_REVIEW, RequestState.CHANGES_REQUESTED)),
    _expire(RequestState.CLEARED, "the inventory entry has passed its expiry"),
)


TERMINAL: frozenset[RequestState] = frozenset(RequestState) - {step.source for step in TRANSITIONS}
OPEN_STATES: frozenset[RequestState] = frozenset(RequestState) - TERMINAL
"""At most one request per model version and purpose may be in these states; the database enforces this."""
EDITABLE_STATES: frozenset[RequestState] = frozenset({RequestState.DRAFT, RequestState.EVIDENCE})
"""In these states, metric values and answers may be written without opening a new revision."""


def may_transition(*, source: RequestState, target: RequestState) -> bool:
    """Whether a request may go from `source` straight to `target`."""
    return any(step.target == target for step in transitions_from(source, TRANSITIONS))


def check_transition(*, source: RequestState, target: RequestState) -> None:
    """Raise `WrongState`, with the possible steps, unless a request may go from `source` straight to `target`."""
    if not may_transition(source=source, target=target):
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
