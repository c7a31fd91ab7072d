"""What is known about a request: figures, contradictions, checklist, and what the policy says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import yaml

from governance.domain import checklists, facts
from governance.domain.checklists import Answer, Checklist, ItemStatus
from governance.domain.evaluation import Determination, RuleStatus, Subject, evaluate
from governance.domain.facts import Basis, Contradiction, Figure
from governance.domain.monitoring import Monitoring
from governance.domain.policy import Effect, Policy, parse_policy
from governance.domain.refusals import WrongState
from governance.enums import DocumentState, Unit
from governance.models import AuditEvent, ChecklistVersion, PolicyVersion
from reviews.models import ContradictionAnswer, Fact, ReviewRequest

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


def policy_of(version: PolicyVersion) -> Policy:
    """The parsed policy of a version; a published version has been parsed before it was kept."""
    return _parsed_policy(version.source)


def checklist_of(version: ChecklistVersion) -> Checklist:
    """The parsed checklist of a version."""
    return _parsed_checklist(version.source)


@lru_cache(maxsize=32)  # versions never change, and parsing YAML would be half the time of every page
def _parsed_policy(source: str) -> Policy:
    return parse_policy(yaml.safe_load(source))


@lru_cache(maxsize=32)
def _parsed_checklist(source: str) -> Checklist:
    return checklists.parse_checklist(yaml.safe_load(source))


def in_force() -> tuple[PolicyVersion, ChecklistVersion]:
    """The policy published last, and the checklist it names."""
    policy = PolicyVersion.objects.filter(state=DocumentState.PUBLISHED).order_by("-published_at").first()
    if policy is None:
        raise WrongState("No policy is published yet; an administrator must publish one before requests are submitted.")
    name = policy_of(policy).checklist
    checklist = ChecklistVersion.objects.filter(state=DocumentState.PUBLISHED, name=name).first()
    if checklist is None:
        raise WrongState(
            f"The policy names the checklist {name!r}, which is not published; an administrator must publish it."
        )
    return policy, checklist


def monitoring_in_force() -> Monitoring:
    """What the policy published last watches for; the default before any is published."""
    policy = PolicyVersion.objects.filter(state=DocumentState.PUBLISHED).order_by("-published_at").first()
    return Monitoring() if policy is None else policy_of(policy).monitoring


def judged_by(request: ReviewRequest) -> PolicyVersion:
    """The policy version that submission fixed."""
    if request.policy is None:
        raise WrongState("The policy of a request is fixed when it is submitted; submit it first.")
    return request.policy


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
