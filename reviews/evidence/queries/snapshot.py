"""The evidence of a request at one moment. Each kind of row is read once, each result is computed once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import RunView
from governance.budgets.enums import BudgetUnit
from governance.people.queries.people import name_of
from governance.rulebook.domain.checklists import ChecklistReply
from governance.rulebook.domain.evaluation.completeness import ItemStatus, completeness
from governance.rulebook.domain.evaluation.limits import References, RuleStatus
from governance.rulebook.domain.evaluation.metric_index import MetricIndex, index_values
from governance.rulebook.domain.evaluation.policies import Evaluation, evaluate_index, stages_of
from governance.rulebook.domain.evaluation.upper_limits import PolicyLimit
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.stages import Stage
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import checklist_in, policy_in
from reviews.evidence import models as evidence_models
from reviews.evidence.domain.claims import binding_values, bound_values, counted_values, lowered_claims
from reviews.evidence.models import (
    ChecklistAnswer,
    ContradictionAnswer,
    ImportedFile,
    MetricRecord,
    RequestProjection,
    Waiver,
)
from reviews.evidence.queries.claims_on_record import on_record, records_of_artifact, unsettled
from reviews.evidence.queries.evidence import amounts_of, is_of_other_data, metric_value_of, subject_of
from reviews.evidence.queries.imported import study_words
from reviews.evidence.queries.inherited import inherited_answers
from reviews.evidence.queries.references import references_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import fixed_policy_version
from weighbridge.core.converter import to_document
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import Contradiction, MetricValue, contradictions, number_text
from weighbridge.costs.totals import with_totals


@dataclass(frozen=True)
class AnsweredContradiction:
    """A claim that a measurement contradicts, and the explanation of the requester ("" if there is none yet)."""

    contradiction: Contradiction
    answer: str
    answered_by: str


@dataclass(frozen=True, eq=False)
class EvidenceSnapshot:
    """The evidence of a request, each part as of its first access. After a write, create a new snapshot."""

    request: ReviewRequest
    now: datetime

    @cached_property
    def catalog(self) -> MetricCatalog:
        """The metric catalog in force."""
        return catalog_in_force()

    @cached_property
    def records(self) -> tuple[MetricRecord, ...]:
        """The metric values of the request, and those that others for its artifact have on record, oldest first."""
        return records_of_artifact(self.request, catalog=self.catalog)

    @cached_property
    def metric_records(self) -> tuple[MetricRecord, ...]:
        """The metric values of the request, oldest first, each with its run, without those of data it had before."""
        request, catalog = self.request, self.catalog
        own = (row for row in self.records if row.request_id == request.pk)
        return tuple(row for row in own if not is_of_other_data(row, request=request, catalog=catalog))

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """Every waiver, the latest first."""
        return tuple(self.request.waivers.select_related("granted_by").order_by("-pk"))

    @cached_property
    def answers(self) -> tuple[ChecklistAnswer, ...]:
        """The checklist answers of people, by item."""
        return tuple(self.request.checklist_answers.select_related("answered_by").order_by("item"))

    @cached_property
    def explanations(self) -> tuple[ContradictionAnswer, ...]:
        """The explanations of contradicted claims."""
        return tuple(self.request.contradiction_answers.select_related("answered_by"))

    @cached_property
    def studies(self) -> tuple[ImportedFile, ...]:
        """Every attached study, oldest first, without its content."""
        rows = self.request.imported_files.exclude(kind="").select_related("imported_by")
        return tuple(rows.defer("study", "reasons", "taken", "left_out").order_by("pk"))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run of the request, oldest first."""
        return tuple(runs.of_request(self.request.ref))

    @cached_property
    def projections(self) -> tuple[RequestProjection, ...]:
        """Every cost projection, latest first; the latest counts."""
        return tuple(self.request.projections.select_related("projection", "stated_by").order_by("-number"))

    @cached_property
    def metric_values(self) -> tuple[MetricValue, ...]:
        """The metric values as the domain type, as they were stated and measured."""
        return tuple(map(metric_value_of, self.metric_records))

    @cached_property
    def own_values(self) -> tuple[MetricValue, ...]:
        """The metric values of this request with every total as it counts."""
        return with_totals(self.metric_values, catalog=self.catalog)

    @cached_property
    def binding_values(self) -> tuple[MetricValue, ...]:
        """The values on record for the artifact that count instead of claims of this request."""
        return self._bound_by(self._on_record)

    @cached_property
    def _on_record(self) -> tuple[MetricValue, ...]:
        return on_record(self.request, records=self.records, catalog=self.catalog, now=self.now)

    def _bound_by(self, record: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
        return binding_values(self.metric_values, on_record=record, catalog=self.catalog, corrected=self._corrected)

    @property
    def _corrected(self) -> frozenset[str]:
        """The ids of the estimates of the latest projection that a person stated, and of its recalculations."""
        since = next((row.stated_at for row in self.projections if row.stated_by_id is not None), self.now)
        estimates = (row for row in self.metric_records if row.p80 is not None and row.observed_at >= since)
        return frozenset(str(row.pk) for row in estimates)

    @cached_property
    def counted_values(self) -> tuple[MetricValue, ...]:
        """The values on which the policy is evaluated: own evidence, and claims not below those on record."""
        return counted_values(self.metric_values, binding=self.binding_values, catalog=self.catalog)

    @cached_property
    def _counted_index(self) -> MetricIndex:
        return index_values(self.counted_values, catalog=self.catalog)

    @cached_property
    def committed_values(self) -> tuple[MetricValue, ...]:
        """The values whose amounts an approval commits: own ones, and instead of lower claims the unsettled ones."""
        record = unsettled(self._on_record, request=self.request, records=self.records)
        return bound_values(self.metric_values, binding=self._bound_by(record))

    @property
    def amounts(self) -> Mapping[BudgetUnit, Decimal]:
        """The amounts that an approval commits."""
        return amounts_of(self.committed_values)

    @cached_property
    def waived(self) -> frozenset[str]:
        """The rules with a waiver that has not expired."""
        return frozenset(row.rule_id for row in self.waivers if row.rule_id and row.expires_at > self.now)

    @cached_property
    def waived_items(self) -> Mapping[str, str]:
        """Why each checklist item with a waiver that has not expired does not apply, and who said so."""
        current = (row for row in reversed(self.waivers) if row.item_id and row.expires_at > self.now)
        return {row.item_id: f"{row.reason} ({name_of(row.granted_by)})" for row in current}

    @property
    def policy(self) -> Policy:
        """The policy that was fixed at submission. Raises WrongState before submission."""
        return policy_in(fixed_policy_version(self.request))

    @cached_property
    def policy_evaluation(self) -> Evaluation:
        """The result of the policy for the current metric values. Raises WrongState before submission."""
        subject = subject_of(self.request)
        return evaluate_index(
            self.policy,
            subject=subject,
            index=self._counted_index,
            now=self.now,
            references=self.references,
            waived=self.waived,
        )

    @cached_property
    def references(self) -> References:
        """The values that rules of the policy compare with, as far as they are known."""
        return references_of(self.request, policy=self.policy, now=self.now)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that take part in the review; none before submission."""
        if self.request.policy is None:
            return ()
        subject = subject_of(self.request)
        return stages_of(self.policy, subject=subject, index=self._counted_index, now=self.now)

    @cached_property
    def limits(self) -> Mapping[str, PolicyLimit]:
        """The tightest number that must hold for each metric, whatever else holds; empty before submission."""
        limits: dict[str, PolicyLimit] = {}
        if self.request.policy is None:
            return limits
        statuses = {result.rule_id: result.status for result in self.policy_evaluation.results}
        rules = (rule for rule in self.policy.rules if rule.needs_every_limit)
        for rule, limit in ((one, limit) for one in rules for limit in one.limits if limit.versus is None):
            shown = PolicyLimit(limit.limit, limit.comparator, rule.id, statuses[rule.id])
            is_applying = shown.status is not RuleStatus.NOT_APPLICABLE
            if is_applying and shown.is_tighter(limits.get(limit.metric)):
                limits[limit.metric] = shown
        return limits

    @cached_property
    def contradictions(self) -> tuple[AnsweredContradiction, ...]:
        """The claims that measurements or values on record contradict, with their explanations; one of each metric."""
        rows = {(str(row.claimed_id), str(row.measured_id)): row for row in self.explanations}
        measured = contradictions(self.metric_values, catalog=self.catalog, now=self.now)
        names = {found.name for found in measured}
        lowered = lowered_claims(self.metric_values, binding=self.binding_values, catalog=self.catalog)
        found = (*measured, *(one for one in lowered if one.name not in names))
        return tuple(_with_explanation(one, rows.get((one.claimed.id, one.measured.id))) for one in found)

    @cached_property
    def checklist(self) -> tuple[ItemStatus, ...]:
        """Every checklist item that is shown, with its status; empty before submission."""
        if self.request.checklist is None:
            return ()
        checklist, answers = checklist_in(self.request.checklist), [*map(_answer, self.answers)]
        return completeness(
            checklist,
            subject=subject_of(self.request),
            answers=answers,
            index=index_values(self.own_values, catalog=self.catalog),
            now=self.now,
            waived=self.waived_items,
            inherited=self.inherited,
            studies={row.kind: study_words(row) for row in self.studies},
        )

    @cached_property
    def inherited(self) -> tuple[ChecklistReply, ...]:
        """The answers of approved parents that the policy lets this request inherit; none before submission."""
        if self.request.policy is None or not self.policy.inheritance.items:
            return ()
        return inherited_answers(self.request, policy=self.policy, now=self.now)

    @cached_property
    def run_views(self) -> tuple[RunView, ...]:
        """The runs for page, API and packet, oldest first."""
        return runs.describe_all(self.runs)


def policy_evaluation_row(evidence: EvidenceSnapshot, *, occasion: str) -> evidence_models.PolicyEvaluation:
    """The current policy evaluation as an unsaved row, with the other inputs that a replay needs."""
    request, latest = evidence.request, evidence.metric_records[-1].pk if evidence.metric_records else 0
    told = {
        **vars(subject_of(request)),
        "waived": sorted(evidence.waived),
        "metric_values_to": latest,
        "binding_values": sorted(int(value.id) for value in evidence.binding_values),
        "references": {
            f"{reference}:{metric}": number_text(number) for (reference, metric), number in evidence.references.items()
        },
    }
    return evidence_models.PolicyEvaluation(
        request=request,
        revision=request.revision,
        policy=fixed_policy_version(request),
        occasion=occasion,
        outcome=evidence.policy_evaluation.outcome.value,
        document=to_document(evidence.policy_evaluation),
        told=told,
        evaluated_at=evidence.now,
    )


def _with_explanation(contradiction: Contradiction, row: ContradictionAnswer | None) -> AnsweredContradiction:
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
