"""Which state may follow which, for a request and for the authorization it produced (`authorization.py`).

Two axes, never one status field: the request is a piece of work that ends, the authorization is a permission that lives
on and can be taken back. Who may act is answered in `reviews/rules.py`, who may see it in `reviews/queries/`; this
module only knows whether the state allows it. `docs/reference/lifecycle.md` is generated from these tables.
"""

from collections.abc import Mapping

from reviews.requests.domain.steps import Actor, Named, Transition, leaving, possible_now
from weighbridge.core.errors import WrongState


class State(Named):
    """State of a model review request."""

    DRAFT = "draft"
    SCREENING = "screening"
    CLEARED = "cleared"
    EVIDENCE = "evidence"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"

    @property
    def owner(self) -> Actor:
        """The one actor who must move next."""
        return OWNER[self]

    @property
    def meaning(self) -> str:
        """What the state means, as a phrase for a page."""
        return MEANING[self]


OWNER: Mapping[State, Actor] = {
    State.DRAFT: Actor.REQUESTER,
    State.SCREENING: Actor.SYSTEM,
    State.CLEARED: Actor.SYSTEM,
    State.EVIDENCE: Actor.REQUESTER,
    State.IN_REVIEW: Actor.REVIEWER,
    State.CHANGES_REQUESTED: Actor.REQUESTER,
    State.DECIDED: Actor.SYSTEM,
    State.WITHDRAWN: Actor.SYSTEM,
    State.LAPSED: Actor.SYSTEM,
}

MEANING: Mapping[State, str] = {
    State.DRAFT: "being filled in by the requester",
    State.SCREENING: "the policy is being evaluated on the figures given",
    State.CLEARED: "no rule fired; evaluated again when measured or billed figures arrive",
    State.EVIDENCE: "review is mandatory; benchmarks run and the checklist is open",
    State.IN_REVIEW: "the revision is frozen and the stages vote",
    State.CHANGES_REQUESTED: "a reviewer wants a new revision",
    State.DECIDED: "approved, approved with conditions, or rejected",
    State.WITHDRAWN: "pulled out by the requester",
    State.LAPSED: "nobody acted before the deadline",
}

_WITHDRAW_GUARDS = "asked by the requester, the model owner or an administrator, with a reason"
_WITHDRAW_EFFECTS = "runs canceled, reservation released, ticket closed"
_LAPSE_GUARDS = "deadline and grace have passed, after one escalation"
_LAPSE_EFFECTS = "reservation released, requester told; never an approval"


def _withdraw(source: State) -> Transition[State]:
    return Transition(source, State.WITHDRAWN, "withdraw", Actor.REQUESTER, _WITHDRAW_GUARDS, _WITHDRAW_EFFECTS)


def _lapse(source: State, guards: str = _LAPSE_GUARDS) -> Transition[State]:
    return Transition(source, State.LAPSED, "lapse", Actor.SYSTEM, guards, _LAPSE_EFFECTS)


TRANSITIONS: tuple[Transition[State], ...] = (
    Transition(
        State.DRAFT,
        State.SCREENING,
        "submit",
        Actor.REQUESTER,
        "required fields given, artifact digest known, owner set, requester acts for the team",
        "revision 1 recorded; policy, stages and checklist fixed for this request",
    ),
    Transition(
        State.SCREENING,
        State.CLEARED,
        "screen",
        Actor.SYSTEM,
        "every rule passes, none is indeterminate",
        "determination stored; inventory entry with expiry",
    ),
    Transition(
        State.SCREENING,
        State.EVIDENCE,
        "screen",
        Actor.SYSTEM,
        "a rule fired or is indeterminate",
        "determination stored; ticket and benchmark runs requested in the same transaction; checklist opened",
    ),
    Transition(
        State.CLEARED,
        State.EVIDENCE,
        "escalate",
        Actor.SYSTEM,
        "measured or billed figures arrived and a rule fires on them",
        "new determination stored; ticket and benchmark runs requested; checklist opened",
    ),
    Transition(
        State.EVIDENCE,
        State.IN_REVIEW,
        "request_review",
        Actor.REQUESTER,
        "checklist complete, evidence valid and current, contradicted claims answered",
        "revision frozen with its bundle digest; budget reserved; reviewers asked",
    ),
    Transition(
        State.IN_REVIEW,
        State.CHANGES_REQUESTED,
        "request_changes",
        Actor.REVIEWER,
        "an eligible reviewer gives a reason",
        "votes kept as history and void for the next revision",
    ),
    Transition(
        State.CHANGES_REQUESTED,
        State.EVIDENCE,
        "revise",
        Actor.REQUESTER,
        "",
        "revision n+1 opened; the difference is shown to reviewers",
    ),
    Transition(
        State.IN_REVIEW,
        State.EVIDENCE,
        "revise",
        Actor.REQUESTER,
        "new evidence, or a changed subject",
        "revision n+1 opened; votes void",
    ),
    Transition(
        State.IN_REVIEW,
        State.DECIDED,
        "decide",
        Actor.SYSTEM,
        "stages complete or a veto; revision unchanged since the freeze; policy evaluated again and not worse; "
        "budget available",
        "decision stored; on approval authorization signed and budget committed, on rejection reservation released; "
        "ticket moved",
    ),
    *(_withdraw(source) for source in (State.DRAFT, State.EVIDENCE, State.IN_REVIEW, State.CHANGES_REQUESTED)),
    *(_lapse(source) for source in (State.EVIDENCE, State.IN_REVIEW, State.CHANGES_REQUESTED)),
    _lapse(State.CLEARED, "the inventory entry has passed its expiry"),
)


TERMINAL: frozenset[State] = frozenset(State) - {step.source for step in TRANSITIONS}
OPEN_STATES: frozenset[State] = frozenset(State) - TERMINAL
"""One request per model version and purpose may be in these; the database holds it."""
EDITABLE_STATES: frozenset[State] = frozenset({State.DRAFT, State.EVIDENCE})
"""Where facts and answers may be written without opening a new revision."""


def may_transition(*, source: State, target: State) -> bool:
    """Whether a request may go from `source` straight to `target`."""
    return any(step.target == target for step in leaving(source, TRANSITIONS))


def check_transition(*, source: State, target: State) -> None:
    """Raise `WrongState`, with what is possible now, unless a request may go from `source` straight to `target`."""
    if not may_transition(source=source, target=target):
        raise WrongState(
            f"A request that is {source.words} cannot become {target.words}. "
            + possible_now("request", source, TRANSITIONS)
        )


def may_act(*, source: State, action: str) -> bool:
    """Whether the state of a request has a step of that name."""
    return any(step.action == action for step in leaving(source, TRANSITIONS))


def check_action(*, source: State, action: str) -> None:
    """Raise `WrongState`, with what is possible now, unless the state of a request has a step of that name."""
    if not may_act(source=source, action=action):
        raise WrongState(
            f"A request that is {source.words} offers no step “{action.replace('_', ' ')}”. "
            + possible_now("request", source, TRANSITIONS)
        )


def check_editable(*, source: State) -> None:
    """Raise `WrongState` unless figures and answers may be written in the state of a request."""
    if source not in EDITABLE_STATES:
        hint = " Revise it first, which voids the votes." if may_act(source=source, action="revise") else ""
        raise WrongState(f"The request is {source.words}, so its evidence cannot be edited.{hint}")
