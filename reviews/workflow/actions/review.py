"""The review itself: freezing a revision, voting on it, and the decision the last vote makes."""

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.people.queries.people import person_of
from reviews.authorizations import actions as authorisations
from reviews.authorizations.models import Decision
from reviews.evidence.locking import lock_all
from reviews.evidence.models import Determination
from reviews.evidence.queries.evidence import determine, severities, told_of
from reviews.packets import actions as packets
from reviews.requests.audit import move, record
from reviews.requests.domain.lifecycle import State, check_action
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.queries.rulebook import judged_by
from reviews.requests.rules import check_edit
from reviews.tickets import actions as effects
from reviews.voting.domain import Choice, VotingOutcome, check_rationale
from reviews.voting.models import Revision, Vote
from reviews.voting.queries.bundle import bundle_of
from reviews.voting.queries.commitments import now_and_later
from reviews.voting.queries.electorate import electorate_of
from reviews.voting.queries.readiness import obstacles
from reviews.workflow.actions import filed_kpis
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, WrongState

CONDITION_CHARS_MAX = 400


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A condition an approval comes with: what, by whom, until when."""

    text: str
    owner: User
    due_on: date


def request_review(*, request: ReviewRequest, by: User, now: datetime) -> ReviewRequest:
    """Freeze the revision, reserve what it takes of this quarter, and ask the reviewers."""
    check_edit(person_of(by), parties_of(request))
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        check_action(source=State(row.state), action="request_review")
        _check_evidence(row, now)
        bundle = bundle_of(row, now=now)
        revision = Revision.objects.create(
            request=row, number=row.revision, bundle=bundle, digest=digest_of(bundle), frozen_at=now
        )
        amounts, _ = now_and_later(row, now=now)
        budgets.reserve(
            team=row.team,
            quarter=str(Quarter.of(now.date())),
            amounts=amounts,
            ref=row.ref,
            key=f"{row.ref}:{row.revision}",
            by=by,
            now=now,
        )
        move(request=row, target=State.IN_REVIEW, by=by, now=now)
        record(
            kind="revision.frozen",
            request=row,
            by=by,
            now=now,
            details={"number": row.revision, "digest": revision.digest},
        )
        effects.tell_ticket(
            request=row,
            occasion="in_review",
            reason="The evidence is complete; reviewers are asked to vote.",
            by=by,
            now=now,
        )
    return row


def vote(
    *,
    request: ReviewRequest,
    stage_id: str,
    choice: Choice,
    rationale: str = "",
    conditions: tuple[Promise, ...] = (),
    by: User,
    now: datetime,
) -> ReviewRequest:
    """Cast one vote; the one that settles the stages decides in the same transaction, or nothing is cast at all."""
    check_rationale(choice=choice, rationale=rationale)
    with transaction.atomic():
        row = lock_all(request=request, now=now)
        if row.state != State.IN_REVIEW:
            raise WrongState(f"The request is {State(row.state).words}; votes are cast while it is in review.")
        electorate = electorate_of(row)
        stage = electorate.stage(stage_id)
        electorate.check(person_of(by), stage)
        _check_promises(conditions, now=now)
        Vote.objects.create(
            request=row,
            revision=row.revision,
            stage=stage.id,
            person=by,
            choice=choice,
            rationale=rationale,
            cast_at=now,
        )
        details = {"stage": stage.id, "choice": choice.value, "revision": row.revision}
        record(kind="vote.cast", request=row, by=by, now=now, details=details, reason=rationale)
        outcome = electorate_of(row).progress.outcome
        if conditions and outcome is not VotingOutcome.APPROVED:
            raise Invalid(
                "Conditions belong to an approval in the last stage, and there to the one that completes it.",
                field="conditions",
            )
        _settle(row, outcome, rationale, conditions, by, now)
    return row


def _settle(
    row: ReviewRequest, outcome: VotingOutcome, rationale: str, conditions: tuple[Promise, ...], by: User, now: datetime
) -> None:
    if outcome is VotingOutcome.CHANGES_REQUESTED:
        budgets.release(ref=row.ref, key=f"{row.ref}:{row.revision}:changes", by=by, now=now)
        move(request=row, target=State.CHANGES_REQUESTED, by=by, now=now, reason=rationale)
        effects.tell_ticket(request=row, occasion="changes_requested", reason=rationale, by=by, now=now)
    elif outcome is VotingOutcome.REJECTED:
        budgets.release(ref=row.ref, key=f"{row.ref}:{row.revision}:rejected", by=by, now=now)
        _decide(row, "rejected", rationale, by, now)
        _conclude(row, "rejected", rationale, by, now)
    elif outcome is VotingOutcome.APPROVED:
        _check_unchanged(row, now)
        amounts, later = now_and_later(row, now=now)
        budgets.commit(
            team=row.team,
            quarter=str(Quarter.of(now.date())),
            amounts=amounts,
            later=later,
            ref=row.ref,
            key=f"{row.ref}:{row.revision}",
            by=by,
            now=now,
        )
        word = "approved_with_conditions" if conditions else "approved"
        decision = _decide(row, word, rationale, by, now)
        authorisations.issue(decision=decision, conditions=[vars(each) for each in conditions], by=by, now=now)
        filed_kpis.register(request=row, by=by, now=now)
        _conclude(row, word, rationale, by, now)


def _decide(row: ReviewRequest, outcome: str, rationale: str, by: User, now: datetime) -> Decision:
    said = determine(row, now=now)
    determination = Determination.objects.create(
        request=row,
        revision=row.revision,
        policy=judged_by(row),
        occasion="decision",
        outcome=said.outcome.value,
        document=to_document(said),
        told=told_of(row, now=now),
        determined_at=now,
    )
    frozen = row.revisions.get(number=row.revision)
    decision = Decision.objects.create(
        request=row,
        outcome=outcome,
        revision=row.revision,
        bundle_digest=frozen.digest,
        determination=determination,
        rationale=rationale,
        decided_by=by,
        decided_at=now,
    )
    move(request=row, target=State.DECIDED, by=by, now=now, reason=rationale)
    record(kind=f"decision.{outcome}", request=row, by=by, now=now, details={"bundle": frozen.digest})
    return decision


def _conclude(row: ReviewRequest, outcome: str, rationale: str, by: User, now: datetime) -> None:
    effects.tell_ticket(request=row, occasion=outcome, reason=rationale, by=by, now=now)
    packets.freeze(request=row, by=by, now=now)


def _check_evidence(row: ReviewRequest, now: datetime) -> None:
    found = obstacles(row, now=now)
    if found:
        raise WrongState(" ".join(each.reason for each in found), code=found[0].code)


def _check_unchanged(row: ReviewRequest, now: datetime) -> None:
    frozen = row.revisions.get(number=row.revision)
    said = determine(row, now=now)
    before = severities(frozen.bundle["determination"])
    worse = [each for each in said.standing() if each.severity > before.get(each.rule_id, (0, False))]
    if worse:
        why = " ".join(f"{each.rule_id}: {each.why}" for each in worse)
        raise WrongState(f"The policy is stricter now than when the revision was frozen. {why}", code="worse")
    if digest_of(bundle_of(row, now=now)) != frozen.digest:
        raise WrongState(
            "The evidence changed since the revision was frozen; request changes, so that it is frozen anew.",
            code="changed",
        )


def _check_promises(conditions: tuple[Promise, ...], *, now: datetime) -> None:
    for each in conditions:
        if not each.text.strip() or len(each.text) > CONDITION_CHARS_MAX:
            raise Invalid(
                f"A condition says in 1 to {CONDITION_CHARS_MAX} characters what must be done.", field="conditions"
            )
        if each.due_on <= now.date():
            raise Invalid("A condition is due on a day to come.", field="conditions")
