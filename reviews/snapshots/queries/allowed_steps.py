"""The steps a person may take on a request now: one guard for each step.

`check_can_…` raises with the reason if the step is not allowed. The action calls it under the lock; page and API call
the same function to show whether the step is allowed, and why not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarking.runs.models import Run
from benchmarking.runs.rules import check_repeat
from governance.inventory.queries import retirement_day
from governance.jobs.kinds import kind_of
from governance.people.domain.roles import Person
from governance.rulebook.domain.checklists import Answerer, ChecklistItem
from reviews.authorizations.domain.authorization_states import AuthorizationState, check_authorization_transition
from reviews.authorizations.models import Authorization, Condition
from reviews.authorizations.queries.retiring import check_not_retired
from reviews.authorizations.rules import check_confirm_condition, check_lift_condition, check_revoke
from reviews.evidence.queries.aliases import check_alias
from reviews.evidence.rules import check_waive
from reviews.requests.domain.deadlines import Deadline
from reviews.requests.domain.lifecycle import (
    AMENDABLE_STATES,
    EDITABLE_STATES,
    RequestState,
    check_action,
    check_editable,
)
from reviews.requests.rules import check_edit, check_exchange, check_extend, check_print, check_withdraw
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.snapshots.queries.voting_rights import check_can_take_back, check_can_vote
from reviews.voting.queries.review_blockers import review_blockers
from weighbridge.core.errors import NotAllowed, Refused, WrongState

if TYPE_CHECKING:
    from reviews.packets.models import Packet


@dataclass(frozen=True)
class AllowedStep:
    """Whether a step is allowed now; `why_not` is "" if it is."""

    why_not: str = ""

    @property
    def is_allowed(self) -> bool:
        """Whether the step is allowed."""
        return not self.why_not


def allowed_step(check: Callable[..., object], *args: object, **kwargs: object) -> AllowedStep:
    """Call a guard and return its result as an `AllowedStep` instead of an exception."""
    try:
        check(*args, **kwargs)
    except Refused as refusal:
        return AllowedStep(refusal.reason)
    return AllowedStep()


def check_can_edit(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Editing the draft."""
    check_edit(person, snapshot.parties)
    _require(
        snapshot.state is RequestState.DRAFT, f"The request is {snapshot.state.words}; only a draft can be edited."
    )


def check_can_submit(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Submitting the request."""
    check_edit(person, snapshot.parties)
    check_action(source=snapshot.state, action="submit")
    check_not_retired(retirement_day(snapshot.request.model_version), now=snapshot.now)
    check_alias(snapshot.request)


def check_can_state_evidence(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Stating metric values and cost projections, and explaining contradicted claims."""
    check_edit(person, snapshot.parties)
    check_editable(source=snapshot.state)


def check_can_answer(snapshot: RequestSnapshot, *, person: Person, item: ChecklistItem | None = None) -> None:
    """Answering an item of the checklist; without an item, any of those that people answer."""
    items = [item] if item else [row.item for row in snapshot.evidence.checklist if row.item.kind.is_answered_by_people]
    if not any(_may_answer(one, snapshot, person) for one in items):
        check_edit(person, snapshot.parties)
        if item is not None and Answerer.TEAM not in item.answered_by:
            names = " or ".join(name.replace("_", " ") for name in item.answered_by)
            raise NotAllowed(f"“{item.title}” is answered by: {names}.", code="wrong_role")
    _check_submitted(snapshot)


def _may_answer(item: ChecklistItem, snapshot: RequestSnapshot, person: Person) -> bool:
    """Whether the item belongs to the person: by a role, as the owner of the model, or as one of the team."""
    is_owner = person.id == snapshot.request.model_version.asset.owner_id
    if person.is_active and (person.roles & set(item.answered_by) or (is_owner and Answerer.OWNER in item.answered_by)):
        return True
    return Answerer.TEAM in item.answered_by and allowed_step(check_edit, person, snapshot.parties).is_allowed


def check_can_request_review(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Requesting the review: there must be no review blocker."""
    check_edit(person, snapshot.parties)
    check_action(source=snapshot.state, action="request_review")
    blockers = review_blockers(snapshot.evidence)
    if blockers:
        raise WrongState(" ".join(blocker.reason for blocker in blockers), code=blockers[0].code)


def check_can_revise(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Opening the next revision."""
    check_edit(person, snapshot.parties)
    check_action(source=snapshot.state, action="revise")


def check_can_amend(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Changing texts or data of a submitted request, as its next revision."""
    check_edit(person, snapshot.parties)
    _check_amendable(snapshot)


def check_can_exchange(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Withdrawing the request and filing another version of its model in its place."""
    check_exchange(person, snapshot.parties)
    _check_amendable(snapshot)


def _check_amendable(snapshot: RequestSnapshot) -> None:
    hint = "edit it" if snapshot.state is RequestState.DRAFT else "file it again"
    _require(
        snapshot.state in AMENDABLE_STATES,
        f"The request is {snapshot.state.words}; only a request under review is amended. Instead, {hint}.",
    )


def check_can_withdraw(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Withdrawing the request."""
    check_withdraw(person, snapshot.parties)
    check_action(source=snapshot.state, action="withdraw")


def check_can_extend(snapshot: RequestSnapshot, *, person: Person) -> Deadline:
    """Extending the deadline, once. Returns the present deadline."""
    check_extend(person)
    _check_uninvolved(snapshot, person, "extend its deadline")
    deadline = snapshot.request.deadline
    if deadline is None or snapshot.request.lapses_at is None:
        raise WrongState(f"The request is {snapshot.state.words}; it has no deadline that can be extended.")
    _require(snapshot.request.extended_at is None, "The deadline was extended before; that is possible once.")
    return deadline


def check_can_freeze_packet(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Freezing a packet."""
    check_print(person, snapshot.parties)
    _require(snapshot.request.policy is not None, "A packet can be frozen once the request is submitted.")


def check_can_waive(snapshot: RequestSnapshot, *, person: Person) -> None:
    """Waiving a soft rule, or a checklist item that does not apply."""
    check_waive(person)
    _check_uninvolved(snapshot, person, "waive its rules")
    _check_submitted(snapshot)


def check_can_measure_again(snapshot: RequestSnapshot, *, person: Person, run: Run) -> None:
    """Repeating a benchmark run."""
    check_repeat(run, person)
    _require(
        snapshot.state is not RequestState.IN_REVIEW, "A new measurement voids the votes; open the next revision first."
    )
    _require(
        snapshot.state in EDITABLE_STATES or snapshot.state is RequestState.CLEARED,
        f"The request is {snapshot.state.words}; nothing is measured for it now.",
    )


def check_can_retry_packet(snapshot: RequestSnapshot, *, person: Person, packet: "Packet") -> None:
    """Printing a packet again after a failure."""
    check_print(person, snapshot.parties)
    kind_of(type(packet)).check_retry(packet)


def check_can_revoke(authorization: Authorization, *, person: Person) -> None:
    """Revoking an authorization."""
    check_revoke(person)
    source = AuthorizationState(authorization.state)
    check_authorization_transition(source=source, target=AuthorizationState.REVOKED)


def check_can_confirm(snapshot: RequestSnapshot, *, person: Person, condition: Condition) -> None:
    """Confirming that a condition is met."""
    check_confirm_condition(person, snapshot.parties, owner_id=condition.owner_id, own_teams=snapshot.teams_of)
    _check_no_interest(snapshot, person)
    _check_open(condition)


def check_can_lift(snapshot: RequestSnapshot, *, person: Person, condition: Condition) -> None:
    """Lifting a condition that is not met."""
    check_lift_condition(person, set_by_id=condition.set_by_id)
    _check_no_interest(snapshot, person)
    _check_open(condition)


STEPS: Mapping[str, Callable[..., object]] = {
    "edit": check_can_edit,
    "submit": check_can_submit,
    "evidence": check_can_state_evidence,
    "answer": check_can_answer,
    "request_review": check_can_request_review,
    "vote": check_can_vote,
    "take_back": check_can_take_back,
    "revise": check_can_revise,
    "amend": check_can_amend,
    "exchange": check_can_exchange,
    "withdraw": check_can_withdraw,
    "packet": check_can_freeze_packet,
    "waive": check_can_waive,
    "extend": check_can_extend,
}
"""The steps of a request by name, with their guards."""


def allowed_steps_of(snapshot: RequestSnapshot, *, person: Person) -> dict[str, AllowedStep]:
    """For each step of a request, by name, whether this person may take it now."""
    return {name: allowed_step(check, snapshot, person=person) for name, check in STEPS.items()}


def check_can_cancel(run: Run, *, person: Person) -> None:
    """Canceling an unfinished run."""
    kind = kind_of(Run)
    kind.check(person, run)
    kind.check_cancel(run)


def _check_uninvolved(snapshot: RequestSnapshot, person: Person, to: str) -> None:
    interests = snapshot.electorate.interests
    if interests.conflict_of(person.id) or interests.is_member(person.id):
        raise NotAllowed(f"A platform lead who has no interest in this request must {to}.")


def _check_no_interest(snapshot: RequestSnapshot, person: Person) -> None:
    """Raise if the person has a part in the artifact by now, or belongs to the team of the request."""
    if snapshot.parties.team in snapshot.teams_of(person) or person.id in snapshot.ids_with_part:
        raise NotAllowed("A person who has no interest in this request must settle its conditions.")


def _check_open(condition: Condition) -> None:
    _require(condition.met_at is None, "This condition is already confirmed.")
    _require(condition.is_open, "This condition is lifted, or a newer authorization of the artifact carries it.")


def _require(is_met: bool, reason: str) -> None:
    if not is_met:
        raise WrongState(reason)


def _check_submitted(snapshot: RequestSnapshot) -> None:
    check_editable(source=snapshot.state)
    _require(snapshot.request.policy is not None, "Policy and checklist are fixed when the request is submitted.")
