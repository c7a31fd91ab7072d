"""What is known about a request: figures, contradictions, checklist, and what the policy says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.audit.models import AuditEvent
from governance.budgets.enums import Unit
from governance.rulebook.domain import checklists
from governance.rulebook.domain.checklists import Answer, ItemStatus
from governance.rulebook.domain.evaluation import Determination, RuleStatus, Subject, evaluate
from governance.rulebook.domain.policy import Effect
from reviews.evidence.models import ContradictionAnswer, Fact
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import checklist_of, judged_by, policy_of
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import Basis, Contradiction, Figure

ANSWERED = ("checklist.answered", "contradiction.answered")
COST_FACT, GPU_FACT = "total_cost_1y_usd", "training_gpu_hours"


@dataclass(frozen=True)
class AnsweredContradiction:
    """A claim that a measurement contradicts, and what the requester says to it ("" while open)."""

    contradiction: Contradiction
    answer: str
    answered_by: str


def figure_of(row: Fact) -> Figure:
    """A stored fact as the rules take it."""
    return Figure(
        name=row.name,
        value=row.value.normalize(),
        unit=row.unit,
        basis=Basis(row.basis),
        lower=row.lower,
        upper=row.upper,
        confidence=row.confidence,
        n=row.n,
        source=row.source,
        observed_at=row.observed_at,
        valid_until=row.valid_until,
        p80=row.p80,
        id=str(row.pk),
    )


def figures_of(request: ReviewRequest) -> list[Figure]:
    """Every figure ever stated of the request, oldest first."""
    return [figure_of(row) for row in request.facts.order_by("pk")]


def figures_by_request(requests: Sequence[ReviewRequest]) -> dict[int, list[Figure]]:
    """The same of many requests at once, by the id of each."""
    found: dict[int, list[Figure]] = {row.pk: [] for row in requests}
    for row in Fact.objects.filter(request__in=requests).order_by("pk"):
        found[row.request_id].append(figure_of(row))
    return found


def waived_of(request: ReviewRequest, *, now: datetime) -> frozenset[str]:
    """Rules somebody has waived for this request, and whose waiver has not run out."""
    return frozenset(request.waivers.filter(expires_at__gt=now).values_list("rule_id", flat=True))


def subject_of(request: ReviewRequest) -> Subject:
    """What a rule's scope looks at."""
    return Subject(team=request.team.slug, tier=request.model_version.asset.tier, environment=request.environment)


def determine(request: ReviewRequest, *, now: datetime) -> Determination:
    """What the request's policy says of its figures now."""
    waived, figures = waived_of(request, now=now), figures_of(request)
    policy = policy_of(judged_by(request))
    return evaluate(policy, subject=subject_of(request), figures=figures, now=now, waived=waived)


def told_of(request: ReviewRequest, *, now: datetime) -> dict[str, Any]:
    """What a replay of a determination made now needs to know beside the figures themselves."""
    latest = request.facts.order_by("-pk").values_list("pk", flat=True).first()
    return {
        **vars(subject_of(request)),
        "waived": sorted(waived_of(request, now=now)),
        "facts_to": latest or 0,
    }


def contradictions_of(request: ReviewRequest, *, now: datetime) -> list[AnsweredContradiction]:
    """Claims that measurements contradict, with their answers."""
    answers = {
        (str(row.claimed_id), str(row.measured_id)): row
        for row in ContradictionAnswer.objects.filter(request=request).select_related("answered_by")
    }
    found = []
    for each in facts.contradictions(figures_of(request), now=now):
        answer = answers.get((each.claimed.id, each.measured.id))
        found.append(
            AnsweredContradiction(
                each,
                answer.text if answer else "",
                (answer.answered_by.get_full_name() or answer.answered_by.username) if answer else "",
            )
        )
    return found


def checklist_status(request: ReviewRequest, *, now: datetime) -> tuple[ItemStatus, ...]:
    """Every checklist item with what stands for it; empty before submission fixed a checklist."""
    if request.checklist is None:
        return ()
    answers = [
        Answer(
            item_id=row.item,
            answered_by=row.answered_by.username,
            answered_at=row.answered_at,
            text=row.text,
            file_digest=row.file_digest,
            attested_by=row.answered_by.username if row.is_attested else "",
        )
        for row in request.checklist_answers.select_related("answered_by")
    ]
    checklist = checklist_of(request.checklist)
    return checklists.completeness(checklist, answers=answers, figures=figures_of(request), now=now)


def amounts_of(figures: Sequence[Figure], *, now: datetime) -> dict[Unit, Decimal]:
    """What approving would commit: one year's total cost in USD, and the GPU hours of training."""
    wanted = {Unit.USD: COST_FACT, Unit.GPU_H: GPU_FACT}
    found = {unit: facts.best(figures, name=name, now=now) for unit, name in wanted.items()}
    return {unit: figure.value.quantize(Decimal("0.01")) if figure else Decimal(0) for unit, figure in found.items()}


def editors_of(request: ReviewRequest, *, run_starters: frozenset[int]) -> frozenset[int]:
    """Everybody who ever stated a figure, answered for the evidence, or started a benchmark: they cannot vote on it."""
    stated = request.facts.exclude(stated_by=None).values_list("stated_by", flat=True)
    # A new answer takes the place of the one before, so only the trail knows everybody who answered.
    events = AuditEvent.objects.filter(subject_type="request", subject=request.ref, kind__in=ANSWERED)
    answered = events.values_list("actor_id", flat=True)
    return frozenset([*stated, *(int(actor_id) for actor_id in answered)]) | run_starters


def severities(document: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    """How much each rule of a stored determination stood against the request, as `RuleResult.severity` has it."""
    return {
        each["rule_id"]: (
            Effect(each["effect"]).rank if each["effect"] else 0,
            each["status"] == RuleStatus.INDETERMINATE,
        )
        for each in document["results"]
    }
