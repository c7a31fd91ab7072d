"""What a request is judged by, each kind of row read once, and what follows from it, computed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import RunView
from governance.audit.models import AuditEvent
from governance.budgets.enums import BudgetUnit
from governance.people.queries.people import name_of
from governance.rulebook.domain import checklists
from governance.rulebook.domain.checklists import ChecklistReply, ItemStatus
from governance.rulebook.domain.evaluation import Evaluation, RuleStatus, evaluate
from governance.rulebook.domain.policy import Comparator, Policy
from reviews.evidence import models as evidence_models
from reviews.evidence.models import ChecklistAnswer, ContradictionAnswer, MetricRecord, RequestProjection, Waiver
from reviews.evidence.queries.evidence import amounts_of, metric_value_of, subject_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import checklist_of, judged_by, policy_of
from weighbridge.core import metrics
from weighbridge.core.catalog import CATALOG, Direction
from weighbridge.core.converter import to_document
from weighbridge.core.metrics import Contradiction, MetricValue

ANSWERED = ("checklist.answered", "contradiction.answered")


@dataclass(frozen=True)
class AnsweredContradiction:
    """A claim that a measurement contradicts, and what the requester says to it ("" while open)."""

    contradiction: Contradiction
    answer: str
    answered_by: str


@dataclass(frozen=True)
class PolicyLimit:
    """The tightest limit the policy sets a metric for this request, and how its rule stands now."""

    value: Decimal
    comparator: Comparator
    rule_id: str
    status: RuleStatus

    def is_tighter(self, name: str, than: "PolicyLimit | None") -> bool:
        """Whether it asks more of that metric; of equal limits the first one stands."""
        if than is None:
            return True
        return self.value < than.value if CATALOG[name].direction is Direction.LOWER else self.value > than.value


@dataclass(frozen=True, eq=False)
class EvidenceSnapshot:
    """The evidence of a request as it stands when it is first asked for; whoever adds to it takes another one."""

    request: ReviewRequest
    now: datetime

    @cached_property
    def metric_records(self) -> tuple[MetricRecord, ...]:
        """Every metric value ever stated, oldest first, each with the run that measured it."""
        rows = self.request.metric_records.select_related("run").defer("run__result", "run__equivalence", "run__plan")
        return tuple(rows.order_by("pk"))

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """Every waiver, the latest first."""
        return tuple(self.request.waivers.select_related("granted_by").order_by("-pk"))

    @cached_property
    def answers(self) -> tuple[ChecklistAnswer, ...]:
        """The answers of people to the checklist, by item."""
        return tuple(self.request.checklist_answers.select_related("answered_by").order_by("item"))

    @cached_property
    def explanations(self) -> tuple[ContradictionAnswer, ...]:
        """What the requester says to contradicted claims."""
        return tuple(self.request.contradiction_answers.select_related("answered_by"))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run the request asked for, oldest first."""
        return tuple(runs.of_request(self.request.ref))

    @cached_property
    def projections(self) -> tuple[RequestProjection, ...]:
        """Every cost projection, the latest, which counts, first."""
        return tuple(self.request.projections.select_related("projection", "stated_by").order_by("-number"))

    @cached_property
    def answerer_ids(self) -> frozenset[int]:
        """Everybody who ever answered; a new answer takes the place of the one before, so only the trail knows."""
        events = AuditEvent.objects.filter(subject_type="request", subject=self.request.ref, kind__in=ANSWERED)
        return frozenset(map(int, events.values_list("actor_id", flat=True)))

    @cached_property
    def metric_values(self) -> tuple[MetricValue, ...]:
        """The metrics as the rules take them."""
        return tuple(map(metric_value_of, self.metric_records))

    @cached_property
    def amounts(self) -> Mapping[BudgetUnit, Decimal]:
        """What approving would commit."""
        return amounts_of(self.metric_values, now=self.now)

    @cached_property
    def waived(self) -> frozenset[str]:
        """Rules somebody has waived, and whose waiver has not run out."""
        return frozenset(row.rule_id for row in self.waivers if row.expires_at > self.now)

    @property
    def policy(self) -> Policy:
        """The policy that submission fixed; WrongState before."""
        return policy_of(judged_by(self.request))

    @cached_property
    def policy_evaluation(self) -> Evaluation:
        """What the policy says of the metric values now; WrongState before submission."""
        subject = subject_of(self.request)
        return evaluate(
            self.policy, subject=subject, metric_values=self.metric_values, now=self.now, waived=self.waived
        )

    @cached_property
    def limits(self) -> Mapping[str, PolicyLimit]:
        """The tightest limit of each metric that a rule about this subject names; none before submission."""
        found: dict[str, PolicyLimit] = {}
        if self.request.policy is None:
            return found
        statuses = {each.rule_id: each.status for each in self.policy_evaluation.results}
        for rule in self.policy.rules:
            limit = PolicyLimit(rule.limit, rule.comparator, rule.id, statuses[rule.id])
            is_applying = limit.status is not RuleStatus.NOT_APPLICABLE
            if is_applying and limit.is_tighter(rule.metric, found.get(rule.metric)):
                found[rule.metric] = limit
        return found

    @cached_property
    def contradictions(self) -> tuple[AnsweredContradiction, ...]:
        """Claims that measurements contradict, with their answers."""
        rows = {(str(row.claimed_id), str(row.measured_id)): row for row in self.explanations}
        return tuple(
            _answered(each, rows.get((each.claimed.id, each.measured.id)))
            for each in metrics.contradictions(self.metric_values, now=self.now)
        )

    @cached_property
    def checklist(self) -> tuple[ItemStatus, ...]:
        """Every checklist item with what stands for it; empty before submission fixed a checklist."""
        if self.request.checklist is None:
            return ()
        checklist, answers = checklist_of(self.request.checklist), [*map(_answer, self.answers)]
        return checklists.completeness(checklist, answers=answers, metric_values=self.metric_values, now=self.now)

    @cached_property
    def run_views(self) -> tuple[RunView, ...]:
        """The runs as page, API and packet show them, oldest first."""
        return runs.describe_all(self.runs)

    @cached_property
    def editor_ids(self) -> frozenset[int]:
        """Whoever ever stated a value, answered for the evidence or started a benchmark: they cannot vote on it."""
        stated = frozenset(row.stated_by_id for row in self.metric_records if row.stated_by_id is not None)
        started = frozenset(run.started_by_id for run in self.runs if run.started_by_id is not None)
        return stated | started | self.answerer_ids


def policy_evaluation_row(evidence: EvidenceSnapshot, *, occasion: str) -> evidence_models.PolicyEvaluation:
    """What the policy says now as a row, not stored yet, with what a replay needs to know beside the metric values."""
    request, latest = evidence.request, evidence.metric_records[-1].pk if evidence.metric_records else 0
    told = {**vars(subject_of(request)), "waived": sorted(evidence.waived), "metric_values_to": latest}
    return evidence_models.PolicyEvaluation(
        request=request,
        revision=request.revision,
        policy=judged_by(request),
        occasion=occasion,
        outcome=evidence.policy_evaluation.outcome.value,
        document=to_document(evidence.policy_evaluation),
        told=told,
        evaluated_at=evidence.now,
    )


def _answered(contradiction: Contradiction, row: ContradictionAnswer | None) -> AnsweredContradiction:
    if row is None:
        return AnsweredContradiction(contradiction, "", "")
    return AnsweredContradiction(contradiction, row.text, name_of(row.answered_by))


def _answer(row: ChecklistAnswer) -> ChecklistReply:
    return ChecklistReply(
        item_id=row.item,
        answered_by=row.answered_by.username,
        answered_at=row.answered_at,
        text=row.text,
        file_digest=row.file_digest,
        attested_by=row.answered_by.username if row.is_attested else "",
    )
