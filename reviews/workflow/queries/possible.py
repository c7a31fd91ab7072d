"""What a person may do with a request now, and where they may not, the sentence that says why."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarking.runs.models import Run
from benchmarking.runs.rules import check_run
from governance.jobs.enums import UNFINISHED
from governance.jobs.kinds import kind_of
from governance.people.domain.roles import Person
from reviews.authorizations.domain import AuthorisationState, check_authorisation_transition
from reviews.authorizations.models import Authorisation, Condition
from reviews.authorizations.rules import check_confirm_condition, check_revoke
from reviews.evidence.rules import check_waive
from reviews.packets.models import Packet
from reviews.packets.rules import check_print
from reviews.requests.domain.lifecycle import EDITABLE_STATES, State, check_action
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import check_edit, check_withdraw
from reviews.voting.queries.electorate import Electorate
from reviews.voting.queries.readiness import Obstacle
from weighbridge.core.errors import Refused, WrongState


@dataclass(frozen=True)
class Possible:
    """Whether something may be done now; `why_not` is "" when it may."""

    why_not: str = ""

    @property
    def is_possible(self) -> bool:
        """True when nothing stands against it."""
        return not self.why_not


def ask(*checks: Callable[[], None]) -> Possible:
    """What the first check that refuses says, as an answer instead of an exception."""
    try:
        for check in checks:
            check()
    except Refused as refusal:
        return Possible(refusal.reason)
    return Possible()


def steps(
    *, request: ReviewRequest, person: Person, electorate: Electorate, obstacles: tuple[Obstacle, ...]
) -> dict[str, Possible]:
    """The steps a request offers by name: edit, submit, evidence, answer, request_review, vote, revise, withdraw,
    packet, waive.
    """
    state, parties = State(request.state), parties_of(request)

    def edits(check: Callable[[], None]) -> Possible:
        return ask(lambda: check_edit(person, parties), check)

    return {
        "edit": edits(
            lambda: _need(state is State.DRAFT, f"The request is {state.words}; only a draft can be edited.")
        ),
        "submit": edits(lambda: check_action(source=state, action="submit")),
        "evidence": edits(lambda: _check_editable(state)),
        "answer": edits(lambda: _check_answerable(request, state)),
        "request_review": edits(lambda: _check_ready(state, obstacles)),
        "vote": ask(lambda: _check_vote(state, person, electorate)),
        "revise": edits(lambda: check_action(source=state, action="revise")),
        "withdraw": ask(lambda: check_withdraw(person, parties), lambda: check_action(source=state, action="withdraw")),
        "packet": ask(lambda: _check_packet(request, person)),
        "waive": ask(lambda: check_waive(person, parties), lambda: _check_answerable(request, state)),
    }


def on_run(*, run: Run, request: ReviewRequest, person: Person) -> tuple[Possible, Possible]:
    """Cancelling and repeating a run of a request."""
    is_over = run.state not in UNFINISHED

    def check() -> None:
        check_run(person, team=run.model_version.asset.team.slug)

    return (
        ask(check, lambda: kind_of(Run).check_cancel(run)),
        ask(
            check,
            lambda: _need(is_over, f"Run {run.pk} is still {run.state}; wait for it or cancel it first."),
            lambda: _check_measurable(State(request.state)),
        ),
    )


def on_packet(*, packet: Packet, person: Person) -> Possible:
    """Retrying a packet whose drawing failed."""
    kind = kind_of(Packet)
    return ask(lambda: kind.check_retry(packet), lambda: kind.check(person, packet))


def on_authorisation(*, authorisation: Authorisation, person: Person) -> Possible:
    """Revoking an authorisation."""
    source = AuthorisationState(authorisation.state)
    return ask(
        lambda: check_revoke(person),
        lambda: check_authorisation_transition(source=source, target=AuthorisationState.REVOKED),
    )


def on_condition(*, condition: Condition, request: ReviewRequest, person: Person) -> Possible:
    """Confirming that a condition is met."""
    if condition.met_at is not None:
        return Possible("This condition was confirmed before.")
    return ask(lambda: check_confirm_condition(person, parties_of(request), owner_id=condition.owner_id))


def _need(holds: bool, reason: str) -> None:
    if not holds:
        raise WrongState(reason)


def _check_editable(state: State) -> None:
    _need(state in EDITABLE_STATES, f"The request is {state.words}, so its evidence cannot be edited.")


def _check_measurable(state: State) -> None:
    _need(state is not State.IN_REVIEW, "A new measurement voids the votes; open the next revision first.")
    _need(
        state in EDITABLE_STATES or state is State.CLEARED,
        f"The request is {state.words}; nothing is measured for it now.",
    )


def _check_answerable(request: ReviewRequest, state: State) -> None:
    _check_editable(state)
    _need(request.policy is not None, "Policy and checklist are fixed when the request is submitted.")


def _check_ready(state: State, obstacles: tuple[Obstacle, ...]) -> None:
    check_action(source=state, action="request_review")
    _need(not obstacles, " ".join(each.reason for each in obstacles))


def _check_vote(state: State, person: Person, electorate: Electorate) -> None:
    _need(state is State.IN_REVIEW, f"The request is {state.words}; votes are cast while it is in review.")
    stage = electorate.progress.open_stage
    if stage is None:
        raise WrongState("The voting on this revision is over.")
    electorate.check(person, stage)


def _check_packet(request: ReviewRequest, person: Person) -> None:
    check_print(person, parties_of(request))
    _need(request.policy is not None, "A packet can be drawn once the request is submitted.")
