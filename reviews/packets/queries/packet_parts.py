"""The course of a request in a packet: what the policy said, who answered and voted, money, ticket and trail."""

from collections.abc import Mapping

from governance.audit.models import AuditEvent
from governance.audit.queries import checkpoints
from governance.budgets.queries.effects import BudgetEffect
from governance.people.queries.people import name_of
from governance.rulebook.domain import evaluation
from governance.rulebook.domain.checklists import ItemStatus
from governance.rulebook.domain.evaluation import RuleResult
from reviews.authorizations.models import Authorization, Condition
from reviews.evidence.models import ChecklistAnswer, PolicyEvaluation
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.packet import (
    AuthorizationPart,
    BudgetRow,
    ChecklistRow,
    ConditionPart,
    StageRow,
    TicketPart,
    VoteRow,
)
from reviews.packets.domain.packet_evidence import PolicyEvaluationPart, RuleLine
from reviews.packets.domain.packet_trail import AuditPart, AuditRow, CheckpointPart
from reviews.requests.domain import wording
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import checklist_of
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.tickets.models import Ticket, TicketState
from reviews.voting.domain import standing
from reviews.voting.queries.electorate import Electorate
from weighbridge.core.addresses import clickable
from weighbridge.core.canonical import is_digest
from weighbridge.core.converter import from_document

NOT_REVIEWED = frozenset({RequestState.DRAFT, RequestState.SCREENING, RequestState.CLEARED})
SPENDS_NOTHING = frozenset({RequestState.CLEARED, RequestState.WITHDRAWN, RequestState.EXPIRED})
TICKET_WORDS = {
    TicketState.WAITING: "it waits to be delivered",
    TicketState.UNCERTAIN: "the tracker has not confirmed it",
    TicketState.LINKED: "linked",
}
NOTE_VALUE_CHARS_MAX, DIGEST_CHARS_MAX = 80, 19


def policy_evaluation_part(row: PolicyEvaluation) -> PolicyEvaluationPart:
    """A stored policy evaluation, rule by rule."""
    said = from_document(evaluation.Evaluation, row.document, name="policy_evaluation")
    return PolicyEvaluationPart(
        outcome=said.outcome.value,
        occasion=row.occasion,
        evaluated_at=row.evaluated_at,
        policy_name=row.policy.name,
        policy_version=row.policy.number,
        policy_digest=said.policy_digest,
        rules=tuple(_rule_line(result) for result in said.results),
    )


def checklist_title(request: ReviewRequest) -> str:
    """Title and version of the checklist; "" before submission fixed one."""
    if request.checklist is None:
        return ""
    return f"{checklist_of(request.checklist).title}, version {request.checklist.number}"


def checklist_rows(evidence: EvidenceSnapshot) -> tuple[ChecklistRow, ...]:
    """Every item with its answer."""
    answers = {row.item: row for row in evidence.answers}
    return tuple(_checklist_row(each, answers.get(each.item.id)) for each in evidence.checklist)


def stage_rows(snapshot: RequestSnapshot) -> tuple[StageRow, ...]:
    """How far each stage came; none where the policy asked for no review."""
    if snapshot.state in NOT_REVIEWED:
        return ()
    return tuple(
        StageRow(
            title=row.stage.title,
            role=row.stage.role.value,
            quorum=row.stage.quorum,
            approvals=len(row.approvals),
            is_complete=row.is_complete,
        )
        for row in snapshot.electorate.progress.stages
    )


def vote_rows(electorate: Electorate) -> tuple[VoteRow, ...]:
    """Every vote ever cast, oldest first; those that do not count are void."""
    titles = {stage.id: stage.title for stage in electorate.stages}
    counted = standing(
        ballots=electorate.ballots, revision=electorate.revision, conflicted_ids=electorate.conflicted_ids
    )
    return tuple(
        VoteRow(
            stage=titles.get(ballot.stage_id, ballot.stage_id),
            person=ballot.person_name,
            choice=ballot.choice.value,
            revision=ballot.revision,
            rationale=ballot.rationale,
            cast_at=ballot.cast_at,
            is_void=ballot not in counted,
        )
        for ballot in electorate.ballots
    )


def condition_row(row: Condition) -> ConditionPart:
    """An obligation the approval came with."""
    return ConditionPart(text=row.text, owner=name_of(row.owner), due_on=row.due_on, met_at=row.met_at)


def budget_rows(snapshot: RequestSnapshot) -> tuple[BudgetRow, ...]:
    """What the request takes from its team's accounts, quarter by quarter, the present one or the decision's first."""
    if snapshot.state in SPENDS_NOTHING or snapshot.is_rejected:
        return ()
    return tuple(_budget_row(snapshot.request.team.name, effect) for effect in snapshot.budget)


def ticket_part(ticket: Ticket) -> TicketPart:
    """Where the ticket stands."""
    return TicketPart(
        key=ticket.key, url=clickable(ticket.url), state=ticket.status or TICKET_WORDS[TicketState(ticket.state)]
    )


def audit_rows(snapshot: RequestSnapshot) -> tuple[AuditRow, ...]:
    """The trail of the request, its runs, its authorization and its bookings, the earliest first."""
    return tuple(map(_audit_row, snapshot.trail))


def audit_part(snapshot: RequestSnapshot) -> AuditPart | None:
    """The trail of the request, and the head of the whole chain."""
    head = AuditEvent.objects.order_by("-position").first()
    if head is None:
        return None
    return AuditPart(
        rows=audit_rows(snapshot),
        chain_head=head.hash,
        chain_length=head.position,
        checkpoint=_checkpoint_part(),
    )


def _checkpoint_part() -> CheckpointPart | None:
    row = checkpoints.latest()
    if row is None:
        return None
    return CheckpointPart(count=row.count, head=row.head, at=row.at, key_id=row.key_id, signature=row.signature)


def authorization_part(held: Authorization) -> AuthorizationPart:
    """The permission the decision produced."""
    return AuthorizationPart(
        number=held.number,
        state=held.state,
        environment=held.environment,
        issued_at=held.issued_at,
        expires_at=held.expires_at,
        statement_digest=held.statement_digest,
    )


def _rule_line(result: RuleResult) -> RuleLine:
    metric_value = result.metric_value
    return RuleLine(
        rule_id=result.rule_id,
        metric=result.metric,
        status=result.status.value,
        level=result.level.value,
        effect=result.effect.value if result.effect else "",
        condition=result.condition,
        observed=result.observed,
        unit=metric_value.unit if metric_value else "",
        basis=metric_value.basis.value if metric_value else "",
        n=metric_value.n if metric_value else None,
        why=result.why,
        message=result.message,
    )


def _checklist_row(status: ItemStatus, answer: ChecklistAnswer | None) -> ChecklistRow:
    item = status.item
    by_person = None if item.kind.is_answered_by_metrics else answer
    return ChecklistRow(
        item_id=item.id,
        title=item.title,
        kind=item.kind.value,
        is_required=item.required,
        is_complete=status.is_complete,
        why=status.why,
        answer=_answer_words(by_person) if by_person else _metric_values_words(status),
        answered_by=name_of(by_person.answered_by) if by_person else "",
        answered_at=by_person.answered_at if by_person else None,
    )


def _metric_values_words(status: ItemStatus) -> str:
    return "; ".join(
        f"{metric_value.name} {wording.value_words(metric_value.value, unit=metric_value.unit)} {metric_value.basis}"
        for metric_value in status.metric_values
    )


def _answer_words(answer: ChecklistAnswer) -> str:
    attested = "Attested." if answer.is_attested else ""
    file = f"{answer.file_name} ({answer.file_digest})" if answer.file_digest else ""
    return "\n".join(part for part in (attested, answer.text, file) if part)


def _budget_row(team: str, effect: BudgetEffect) -> BudgetRow:
    return BudgetRow(
        account=f"{team}, {effect.quarter}{', planned' if effect.is_later else ''}",
        unit=effect.unit,
        before=effect.available,
        this=effect.this,
        after=effect.after,
        reserved_by_others=effect.reserved_by_others,
    )


def _audit_row(event: AuditEvent) -> AuditRow:
    return AuditRow(
        number=event.position,
        happened_at=event.at,
        actor=event.actor,
        action=event.kind,
        note=event.reason or _details_words(event.details),
    )


def _details_words(details: Mapping[str, object]) -> str:
    """The details a line can carry: numbers and texts, long ones and digests cut short."""
    told = {key: value for key, value in details.items() if value != "" and value is not False}
    said = {key: str(value) for key, value in told.items() if isinstance(value, str | int)}
    return "; ".join(f"{key} {_short(text)}" for key, text in said.items())


def _short(text: str) -> str:
    longest = DIGEST_CHARS_MAX if is_digest(text) else NOTE_VALUE_CHARS_MAX
    return text if len(text) <= longest else f"{text[:longest]}…"
