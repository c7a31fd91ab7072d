"""Read the other parts of a packet: policy evaluation, checklist, votes, budget, ticket and audit trail."""

import re
from collections.abc import Mapping
from decimal import Decimal

from governance.audit.models import AuditEvent
from governance.audit.queries import checkpoints
from governance.budgets.queries.effects import BudgetEffect
from governance.people.queries.people import name_of
from governance.rulebook.domain.evaluation.completeness import ItemStatus
from governance.rulebook.domain.evaluation.policies import Evaluation, RuleResult
from governance.rulebook.queries.rulebook import checklist_in
from reviews.authorizations.models import Authorization, Condition
from reviews.evidence.models import ChecklistAnswer, PolicyEvaluation
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.leadership import UNDECIDED_ENDS
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
from reviews.requests.domain.copies import copy_of
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.tickets.models import Ticket, TicketState
from reviews.voting.domain.electorate import Electorate
from weighbridge.core.addresses import safe_link
from weighbridge.core.canonical import is_digest
from weighbridge.core.converter import from_document
from weighbridge.core.metrics.standard import STANDARD, metric_words
from weighbridge.core.metrics.units import unit_words
from weighbridge.core.metrics.values import number_text

NOT_REVIEWED = frozenset({RequestState.DRAFT, RequestState.SCREENING, RequestState.CLEARED})
TICKET_WORDS = {
    TicketState.WAITING: "it waits to be delivered",
    TicketState.UNCERTAIN: "not confirmed by the tracker",
    TicketState.LINKED: "linked",
}
NOTE_VALUE_CHARS_MAX, DIGEST_CHARS_MAX = 80, 19
_SLUG, _ZEROS = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+"), re.compile(r"-?\d+\.\d*0")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00:00|Z)")


def policy_evaluation_part(row: PolicyEvaluation) -> PolicyEvaluationPart:
    """A stored policy evaluation, rule by rule."""
    stored = from_document(Evaluation, row.document, name="policy_evaluation")
    return copy_of(
        row,
        PolicyEvaluationPart,
        outcome=stored.outcome.value,
        policy_name=row.policy.name,
        policy_version=row.policy.number,
        policy_digest=stored.policy_digest,
        rules=tuple(_rule_line(result) for result in stored.results),
    )


def checklist_title(request: ReviewRequest) -> str:
    """Title and version of the checklist; "" before submission."""
    if request.checklist is None:
        return ""
    return f"{checklist_in(request.checklist).title}, version {request.checklist.number}"


def checklist_rows(evidence: EvidenceSnapshot) -> tuple[ChecklistRow, ...]:
    """Every item with its answer."""
    answers = {row.item: row for row in evidence.answers}
    return tuple(_checklist_row(status, answers.get(status.item.id)) for status in evidence.checklist)


def stage_rows(snapshot: RequestSnapshot) -> tuple[StageRow, ...]:
    """The progress of each stage; empty if the policy did not require a review."""
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
    """All votes, oldest first. Votes that do not count are void."""
    titles = {stage.id: stage.title for stage in electorate.stages}
    return tuple(
        copy_of(
            ballot,
            VoteRow,
            stage=titles.get(ballot.stage_id, ballot.stage_id),
            person=ballot.person_name,
            choice=ballot.choice.value,
            is_void=ballot not in electorate.counted,
        )
        for ballot in electorate.ballots
    )


def condition_row(row: Condition) -> ConditionPart:
    """A condition of the approval. A newer authorization of the artifact carries an open one over."""
    ended = "lifted" if row.lifted_at else "carried over" if row.carried_to_id else ""
    return copy_of(row, ConditionPart, owner=name_of(row.owner), ended=ended)


def budget_effects(snapshot: RequestSnapshot) -> tuple[BudgetEffect, ...]:
    """The effects on the accounts of the team by quarter; none if the request spends nothing (any more)."""
    return () if snapshot.state in UNDECIDED_ENDS or snapshot.is_rejected else snapshot.budget


def budget_rows(snapshot: RequestSnapshot) -> tuple[BudgetRow, ...]:
    """The effect on the accounts of the team by quarter, beginning with the current one or that of the decision."""
    return tuple(_budget_row(snapshot.request.team.name, effect) for effect in budget_effects(snapshot))


def ticket_part(ticket: Ticket) -> TicketPart:
    """The ticket and its state."""
    return TicketPart(
        key=ticket.key, url=safe_link(ticket.url), state=ticket.status or TICKET_WORDS[TicketState(ticket.state)]
    )


def audit_rows(snapshot: RequestSnapshot) -> tuple[AuditRow, ...]:
    """The trail of the request, its runs, its authorization and its postings, earliest first."""
    return tuple(map(_audit_row, snapshot.trail))


def audit_part(snapshot: RequestSnapshot) -> AuditPart | None:
    """The trail of the request, and the head of the chain."""
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
    return copy_of(row, CheckpointPart) if row else None


def authorization_part(authorization: Authorization) -> AuthorizationPart:
    """The authorization issued by the decision."""
    return copy_of(authorization, AuthorizationPart)


def _rule_line(result: RuleResult) -> RuleLine:
    metric_value = result.metric_value
    return copy_of(
        result,
        RuleLine,
        status=result.status.value,
        level=result.level.value,
        effect=result.effect.value if result.effect else "",
        unit=metric_value.unit if metric_value else "",
        basis=metric_value.basis.value if metric_value else "",
        n=metric_value.n if metric_value else None,
    )


def _checklist_row(status: ItemStatus, answer: ChecklistAnswer | None) -> ChecklistRow:
    item = status.item
    by_person = answer if item.kind.is_answered_by_people else None
    return ChecklistRow(
        item_id=item.id,
        title=item.title,
        kind=item.kind.value,
        is_required=item.required,
        is_complete=status.is_complete,
        reason=status.reason,
        answer=_answer_words(by_person) if by_person else _words_without_answer(status),
        answered_by=name_of(by_person.answered_by) if by_person else "",
        answered_at=by_person.answered_at if by_person else None,
    )


def _words_without_answer(status: ItemStatus) -> str:
    if status.inherited is not None:
        return f"{status.inherited.text}\n{status.reason}"
    return _metric_values_words(status) if status.item.kind.is_answered_by_metrics else ""


def _metric_values_words(status: ItemStatus) -> str:
    return "; ".join(
        f"{metric_words(each.name)} {wording.value_words(each.value, unit=each.unit)} ({each.basis})"
        for each in status.metric_values
    )


def _answer_words(answer: ChecklistAnswer) -> str:
    attested = "Attested." if answer.is_attested else ""
    file = f"{answer.file_name} ({answer.file_digest})" if answer.file_digest else ""
    return "\n".join(part for part in (attested, answer.text, file) if part)


def _budget_row(team: str, effect: BudgetEffect) -> BudgetRow:
    account = f"{team}, {effect.quarter}{', planned' if effect.is_later else ''}"
    return copy_of(effect, BudgetRow, account=account, before=effect.available)


def _audit_row(event: AuditEvent) -> AuditRow:
    return AuditRow(
        number=event.position,
        happened_at=event.at,
        actor=event.actor,
        action=event.kind,
        note=event.reason or _details_words(event.details),
    )


def _details_words(details: Mapping[str, object]) -> str:
    """The numbers and texts of the details in one line; digests and long texts are shortened, names become words."""
    shown = {key: value for key, value in details.items() if value != "" and value is not False}
    texts = {key.replace("_", " "): _plain(value) for key, value in shown.items() if isinstance(value, str | int)}
    if {"before", "after"} <= texts.keys():
        texts = {"from": f"{texts.pop('before')} to {texts.pop('after')}", **texts}
    return "; ".join(f"{key} {text}" for key, text in texts.items())


def _plain(value: str | int) -> str:
    """Words for a name of ours, a time in UTC, a number without trailing zeros."""
    text = "yes" if value is True else str(value)
    if text in STANDARD:
        return metric_words(text)
    if _ZEROS.fullmatch(text):
        return number_text(Decimal(text))
    if _SLUG.fullmatch(text) and unit_words(text) == text:
        return text.replace("_", " ")
    return _TIME.sub(r"\1 \2 UTC", unit_words(_short(text)) or text)


def _short(text: str) -> str:
    max_chars = DIGEST_CHARS_MAX if is_digest(text) else NOTE_VALUE_CHARS_MAX
    return text if len(text) <= max_chars else f"{text[:max_chars]}…"
