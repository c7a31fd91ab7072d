"""The review: freeze a revision, vote on it, and decide with the last vote."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.absences.locking import lock_deputy
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.inventory.actions import stored_files
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from reviews.authorizations.domain.due_dates import check_due
from reviews.authorizations.models import Decision
from reviews.authorizations.queries.superseded import refs_superseded_by
from reviews.evidence.locking import lock_all
from reviews.evidence.queries.snapshot import policy_evaluation_row
from reviews.feed.actions import publish
from reviews.notes.models import DraftVote
from reviews.packets import actions as packets
from reviews.requests import actions as states
from reviews.requests.audit import record
from reviews.requests.domain.lifecycle import RequestState, check_seen
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import check_can_owe
from reviews.snapshots import outbox as notices
from reviews.snapshots.queries.allowed_steps import check_can_request_review
from reviews.snapshots.queries.evidence_bundle import bundle_of, check_unchanged
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_after_vote, snapshot_of
from reviews.snapshots.queries.voting_rights import VotingRight, check_can_take_back, check_can_vote
from reviews.tickets import actions as ticket_actions
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.domain.outcomes import VotingOutcome
from reviews.voting.domain.rationales import check_rationale
from reviews.voting.models import Revision, Vote, VoteWithdrawal
from reviews.voting.queries.budget_effects import present_and_later_shares
from reviews.workflow.actions import authorizations, filed_kpis
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid

CONDITION_CHARS_MAX = 400
READ_THEN_VOTE = "Read it, then vote."
CONDITIONS_COME_LAST = "Only the approval that completes the last stage can set or lift conditions."


@dataclass(frozen=True, kw_only=True)
class NewCondition:
    """A condition of an approval: what must be done, by whom, and until when."""

    text: str
    owner: User
    due_on: date


@dataclass(frozen=True)
class LiftedCondition:
    """A condition of an earlier authorization of the artifact that an approval lifts, by its id."""

    id: int


def request_review(*, request: ReviewRequest, by: User, now: datetime) -> ReviewRequest:
    """Freeze the revision, reserve its budget of the present quarter, and start the voting."""
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        snapshot = snapshot_of(row, now=now)
        check_can_request_review(snapshot, person=person_of(by))
        bundle = bundle_of(snapshot)
        revision = Revision.objects.create(
            request=row, number=row.revision, bundle=bundle, digest=digest_of(bundle), frozen_at=now
        )
        amounts, _ = present_and_later_shares(snapshot.evidence)
        quarter, key, superseded = str(Quarter.of(now.date())), f"{row.ref}:{row.revision}", refs_superseded_by(row)
        budgets.reserve(
            team=row.team, quarter=quarter, amounts=amounts, superseded=superseded, ref=row.ref, key=key, by=by, now=now
        )
        states.move(request=row, target=RequestState.IN_REVIEW, by=by, now=now)
        details = {"number": row.revision, "digest": revision.digest}
        record(kind="revision.frozen", request=row, by=by, now=now, details=details)
        reason = "The evidence is complete; reviewers are asked to vote."
        ticket_actions.notify_request_ticket(request=row, occasion="in_review", reason=reason, by=by, now=now)
        notices.ask_voters(snapshot=snapshot_of(row, now=now, evidence=snapshot.evidence), by=by, now=now)
    return row


@dataclass(frozen=True, kw_only=True)
class NewVote:
    """A vote to cast: in which stage, and what the person says.

    `conditions` are those that the approval sets, and those of earlier authorizations that it lifts. `revision` is the
    one that the person saw; None says nothing about it. A deputy votes `in_place_of` an absent person, by user name.
    """

    stage_id: str
    choice: VoteChoice
    rationale: str = ""
    revision: int | None = None
    conditions: tuple[NewCondition | LiftedCondition, ...] = ()
    in_place_of: str = ""


def vote(
    *,
    request: ReviewRequest,
    stage_id: str,
    choice: VoteChoice,
    revision: int | None = None,
    rationale: str = "",
    conditions: tuple[NewCondition | LiftedCondition, ...] = (),
    by: User,
    now: datetime,
) -> ReviewRequest:
    """Cast one vote in one's own name, as `cast` does."""
    new = NewVote(stage_id=stage_id, choice=choice, revision=revision, rationale=rationale, conditions=conditions)
    return cast(request=request, vote=new, by=by, now=now)


def cast(*, request: ReviewRequest, vote: NewVote, by: User, now: datetime) -> ReviewRequest:
    """Cast one vote. A vote that completes the voting also decides, in the same transaction.

    Raises WrongState if the person saw another revision than the present one. The absences of a deputy are locked, so
    that the end of an absence ends the right at once.
    """
    choice, rationale = vote.choice, vote.rationale
    check_rationale(choice=choice, rationale=rationale)
    if choice is VoteChoice.APPROVE:
        _check_files(request, vote, by, now)
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        lock_deputy(by, now=now)
        before = snapshot_of(row, now=now)
        right = _right(before, vote, by)
        check_seen(vote.revision, revision=row.revision, advice=READ_THEN_VOTE)
        _check_conditions(before, vote.conditions)
        _store(row, vote, right, by, now)
        DraftVote.objects.filter(request=row, person=by).delete()
        after = snapshot_after_vote(before)
        outcome = after.electorate.progress.outcome
        if vote.conditions and outcome is not VotingOutcome.APPROVED:
            raise Invalid(CONDITIONS_COME_LAST, field="conditions")
        _apply_outcome(after, outcome, rationale, vote.conditions, by)
        if outcome is VotingOutcome.OPEN:
            open_before = [stage.id for stage in before.electorate.progress.open_stages]
            notices.ask_voters(snapshot=after, before=open_before, by=by, now=now)
        publish(digest=row.model_version.digest, environment=row.environment, by=by, now=now)
    return row


def take_back(
    *, request: ReviewRequest, reason: str, revision: int | None = None, by: User, now: datetime
) -> ReviewRequest:
    """Take back one's own vote on the present revision, until its stage is complete; it can be cast anew.

    Raises WrongState if the person saw another revision than the present one.
    """
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        ballot = check_can_take_back(snapshot_of(row, now=now), person=person_of(by))
        check_seen(revision, revision=row.revision, advice=READ_THEN_VOTE)
        check_reason(reason)
        vote = row.votes.get(revision=row.revision, person=by, withdrawal=None)
        VoteWithdrawal.objects.create(vote=vote, reason=reason, taken_back_at=now)
        details = {"stage": ballot.stage_id, "choice": ballot.choice.value, "revision": row.revision}
        record(kind="vote.taken_back", request=row, by=by, now=now, details=details, reason=reason)
    return row


def _right(snapshot: RequestSnapshot, vote: NewVote, by: User) -> VotingRight:
    return check_can_vote(snapshot, person=person_of(by), stage_id=vote.stage_id, in_place_of=vote.in_place_of)


def _store(row: ReviewRequest, vote: NewVote, right: VotingRight, by: User, now: datetime) -> None:
    details: dict[str, Any] = {"stage": right.stage.id, "choice": vote.choice.value, "revision": row.revision}
    columns, deputyship = {}, right.deputyship
    if deputyship is not None:
        columns = {"in_place_of_id": deputyship.absent.id, "absence_id": deputyship.absence_id}
    Vote.objects.create(request=row, **details, **columns, person=by, rationale=vote.rationale, cast_at=now)
    reason = vote.rationale
    if deputyship is not None:
        details |= {"in_place_of": deputyship.absent.username, "absence": deputyship.absence_id}
        reason = f"In the place of {deputyship.absent.name}. {reason}".strip()
    record(kind="vote.cast", request=row, by=by, now=now, details=details, reason=reason)


def _check_files(request: ReviewRequest, vote: NewVote, by: User, now: datetime) -> None:
    """Raise DamagedFile if a file that an approval signs was changed. Files are hashed before any lock is taken."""
    row = ReviewRequest.objects.select_related("model_version", "dataset").get(pk=request.pk)
    _right(snapshot_of(row, now=now), vote, by)
    version, data = row.model_version, row.dataset
    digests = [version.digest] if version.stored_as else []
    digests += [data.digest] if data else []
    answers = row.checklist_answers.exclude(file_digest="").order_by("item")
    for digest in [*digests, *answers.values_list("file_digest", flat=True)]:
        stored_files.check(digest=digest, by=by, now=now)


def _apply_outcome(
    snapshot: RequestSnapshot,
    outcome: VotingOutcome,
    rationale: str,
    conditions: tuple[NewCondition | LiftedCondition, ...],
    by: User,
) -> None:
    row, now = snapshot.request, snapshot.now
    key = f"{row.ref}:{row.revision}"
    if outcome is VotingOutcome.CHANGES_REQUESTED:
        budgets.release(ref=row.ref, key=f"{key}:changes", by=by, now=now)
        states.move(request=row, target=RequestState.CHANGES_REQUESTED, by=by, now=now, reason=rationale)
        ticket_actions.notify_request_ticket(
            request=row, occasion="changes_requested", reason=rationale, by=by, now=now
        )
        notices.notify_parties(
            request=row, kind="changes_requested", key=f"changes:{key}", sentence=rationale, by=by, now=now
        )
    elif outcome is VotingOutcome.REJECTED:
        budgets.release(ref=row.ref, key=f"{key}:rejected", by=by, now=now)
        _decide(snapshot, REJECTED, rationale, by)
        authorizations.revoke_rejected(request=row, by=by, now=now)
        _conclude(snapshot, REJECTED, rationale, by)
    elif outcome is VotingOutcome.APPROVED:
        check_unchanged(snapshot)
        amounts, later = present_and_later_shares(snapshot.evidence)
        quarter = str(Quarter.of(now.date()))
        # Before the new commitment, because it may need what this releases.
        authorizations.supersede(request=row, by=by, now=now)
        budgets.commit(
            team=row.team, quarter=quarter, amounts=amounts, later=later, ref=row.ref, key=key, by=by, now=now
        )
        new = [vars(one) for one in conditions if isinstance(one, NewCondition)]
        lifted_ids = _lifted_ids(conditions)
        is_conditional = bool(new) or any(one.pk not in lifted_ids for one in snapshot.earlier_conditions)
        approval = "approved_with_conditions" if is_conditional else "approved"
        authorizations.issue(
            decision=_decide(snapshot, approval, rationale, by),
            conditions=new,
            lifted_ids=lifted_ids,
            approver_ids=snapshot.electorate.approver_ids,
            by=by,
            now=now,
        )
        filed_kpis.register(request=row, by=by, now=now)
        _conclude(snapshot, approval, rationale, by)


def _decide(snapshot: RequestSnapshot, outcome: str, rationale: str, by: User) -> Decision:
    row, now = snapshot.request, snapshot.now
    frozen, policy_evaluation = snapshot.revisions[0], policy_evaluation_row(snapshot.evidence, occasion="decision")
    policy_evaluation.save()
    decision = Decision.objects.create(
        request=row,
        outcome=outcome,
        revision=row.revision,
        bundle_digest=frozen.digest,
        policy_evaluation=policy_evaluation,
        rationale=rationale,
        settles=[] if outcome == REJECTED else [row.key for row in snapshot.denials],
        decided_by=by,
        decided_at=now,
    )
    states.move(request=row, target=RequestState.DECIDED, by=by, now=now, reason=rationale)
    record(kind=f"decision.{outcome}", request=row, by=by, now=now, details={"bundle": frozen.digest})
    return decision


def _conclude(snapshot: RequestSnapshot, outcome: str, rationale: str, by: User) -> None:
    row, now = snapshot.request, snapshot.now
    ticket_actions.notify_request_ticket(request=row, occasion=outcome, reason=rationale, by=by, now=now)
    sentence = f"{row.title}: {outcome.replace('_', ' ')}. {rationale}"
    notices.notify_parties(
        request=row, kind="decided", key=f"decided:{row.ref}:{row.revision}", sentence=sentence, by=by, now=now
    )
    packets.freeze(request=row, evidence=snapshot.evidence, by=by, now=now)


def _lifted_ids(conditions: tuple[NewCondition | LiftedCondition, ...]) -> frozenset[int]:
    return frozenset(one.id for one in conditions if isinstance(one, LiftedCondition))


def _check_conditions(snapshot: RequestSnapshot, conditions: tuple[NewCondition | LiftedCondition, ...]) -> None:
    if not _lifted_ids(conditions) <= {row.pk for row in snapshot.earlier_conditions}:
        raise Invalid("Only open conditions of this artifact can be lifted; read the page again.", field="lifted_ids")
    for condition in conditions:
        if isinstance(condition, LiftedCondition):
            continue
        if not condition.text.strip() or len(condition.text) > CONDITION_CHARS_MAX:
            raise Invalid(f"Describe a condition in 1 to {CONDITION_CHARS_MAX} characters.", field="conditions")
        if condition.due_on <= snapshot.now.date():
            raise Invalid("The due date of a condition must be in the future.", field="conditions")
        check_due(condition.due_on, today=snapshot.now.date(), field="conditions")
        check_can_owe(condition.owner, request=snapshot.request, field="conditions")
