"""Previews of requests: computed by the functions that also judge a request when it is submitted."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from benchmarking.runs.domain.runnable import reason_not_measured
from benchmarking.runs.models import Dataset
from benchmarking.runs.queries.datasets import reason_declared
from governance.budgets.enums import BudgetUnit
from governance.rulebook.domain.evaluation.completeness import ItemStatus, completeness
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import Evaluation, PolicyOutcome, evaluate_index, stages_of
from governance.rulebook.domain.policy import Policy, RuleEffect
from governance.rulebook.domain.scopes import EvaluationSubject, SubjectKind, applying
from governance.rulebook.domain.stages import Stage
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import checklist_in, policies_in_force, policy_in
from reviews.authorizations.queries.standing import is_reviewed_before
from reviews.evidence.queries.evidence import amounts_of, subject_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.previews.domain.needs import MetricNeed, Supply, metrics_of, needs_of
from reviews.previews.domain.preview import (
    OtherPolicy,
    RequestPreview,
    VersionName,
    previewed_item,
    previewed_rule,
    previewed_stage,
    why_words,
)
from reviews.previews.queries.added_needs import reason_of_sum
from reviews.previews.queries.drafts import submission_digest
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.classifications import is_classified_otherwise
from reviews.requests.queries.rulebook import RulebookChoice, fix_rulebook, rulebook_for
from weighbridge.core.errors import WrongState
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.costs.totals import with_totals

REVIEWED_BEFORE = "A review of this artifact was mandatory before in this environment."
CLASSIFIED_OTHERWISE = "The same content is registered with another tier, task, kind or format, or for another policy."
NEW_DATA = "Quality on a new evaluation set is declared until a data steward governs the set."


@dataclass(frozen=True, kw_only=True)
class FilingSketch:
    """What a form holds before a draft exists: the metric values typed, the data, and whether the file is stored."""

    metric_values: tuple[MetricValue, ...] = ()
    is_stored: bool = True
    data: Dataset | None = None
    is_new_data: bool = False


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A request as it would be judged."""

    subject: EvaluationSubject
    choice: RulebookChoice
    evaluation: Evaluation
    stages: Sequence[Stage]
    statuses: Sequence[ItemStatus]
    metric_values: Sequence[MetricValue]
    amounts: Mapping[BudgetUnit, Decimal]
    supply: Supply
    catalog: MetricCatalog
    reasons: tuple[str, ...] = ()
    digest: str = ""


def subject_from(given: Mapping[str, str]) -> EvaluationSubject:
    """The subject with these properties. What is no file has a format of its own, as `subject_of` gives it."""
    kind = given["kind"]
    format_name = (given.get("format") or ArtifactFormat.ONNX.value) if kind == SubjectKind.FILE else kind
    names = ("team", "tier", "environment", "task")
    return EvaluationSubject(kind=kind, format=format_name, **{name: given[name] for name in names})


def preview_of_sketch(subject: EvaluationSubject, *, sketch: FilingSketch, now: datetime) -> RequestPreview:
    """The preview for a subject that may not be registered yet. Raises WrongState if no policy judges it."""
    choice, catalog = rulebook_for(subject), catalog_in_force()
    policy, values = policy_in(choice.policy), with_totals(sketch.metric_values, catalog=catalog)
    index = index_values(values, catalog=catalog)
    doubt = reason_declared(sketch.data, team=subject.team, accepted=policy.evaluation_sets)
    return _preview(
        _Case(
            subject=subject,
            choice=choice,
            evaluation=evaluate_index(policy, subject=subject, index=index, now=now),
            stages=stages_of(policy, subject=subject, index=index, now=now),
            statuses=completeness(checklist_in(choice.checklist), subject=subject, answers=(), index=index, now=now),
            metric_values=values,
            amounts=amounts_of(sketch.metric_values),
            supply=_supply(
                policy, subject, is_stored=sketch.is_stored, data_doubt=NEW_DATA if sketch.is_new_data else doubt
            ),
            catalog=catalog,
        )
    )


def preview_of_draft(request: ReviewRequest, *, now: datetime) -> RequestPreview:
    """The preview of a draft, with everything that counts at its submission. Raises WrongState for other states."""
    if request.state != RequestState.DRAFT:
        raise WrongState("A preview shows what a submission would mean, and this request is submitted already.")
    subject = subject_of(request)
    choice, submitted = rulebook_for(subject), copy(request)
    fix_rulebook(submitted, choice=choice, now=now)
    evidence, version = EvidenceSnapshot(submitted, now), request.model_version
    doubt = reason_declared(request.dataset, team=subject.team, accepted=evidence.policy.evaluation_sets)
    return _preview(
        _Case(
            subject=subject,
            choice=choice,
            evaluation=evidence.policy_evaluation,
            stages=evidence.stages,
            statuses=evidence.checklist,
            metric_values=evidence.own_values,
            amounts=evidence.amounts,
            supply=_supply(evidence.policy, subject, is_stored=bool(version.stored_as), data_doubt=doubt),
            catalog=evidence.catalog,
            reasons=_reasons_of_artifact(evidence, subject=subject),
            digest=submission_digest(request, choice=choice),
        )
    )


def _supply(policy: Policy, subject: EvaluationSubject, *, is_stored: bool, data_doubt: str) -> Supply:
    return Supply(
        cannot_measure=reason_not_measured(kind=subject.kind, format_name=subject.format, is_stored=is_stored),
        data_doubt=data_doubt,
        keys=tuple(key.name for key in policy.trust.keys_for(subject.team)),
    )


def _preview(case: _Case) -> RequestPreview:
    policy, results = policy_in(case.choice.policy), case.evaluation.results
    checklist, needs = checklist_in(case.choice.checklist), _needs(case, policy)
    rules = tuple(
        previewed_rule(rule, result)
        for rule, result in zip(policy.rules, results, strict=True)
        if rule.scope.covers(case.subject)
    )
    return RequestPreview(
        policy=_named(case.choice.policy, policy.title),
        checklist=_named(case.choice.checklist, checklist.title),
        why=why_words(policy, others=case.choice.others),
        outcome=case.evaluation.outcome.value,
        mandatory_because=_mandatory_because(case),
        rules=rules,
        stages=tuple(map(previewed_stage, case.stages)),
        items=tuple(map(previewed_item, case.statuses)),
        needs=needs,
        benchmarks=() if case.supply.cannot_measure else tuple(str(plan.scenario) for plan in policy.benchmarks),
        evaluation_sets=policy.evaluation_sets,
        cannot_measure=case.supply.cannot_measure,
        data_doubt=case.supply.data_doubt,
        other_policies=_other_policies(case.subject, name=policy.name) if any(n.is_dead_end for n in needs) else (),
        deadline_days=policy.deadline_days,
        amounts={unit.value: amount for unit, amount in case.amounts.items()},
        digest=case.digest,
    )


def _needs(case: _Case, policy: Policy) -> tuple[MetricNeed, ...]:
    return needs_of(
        policy,
        results=case.evaluation.results,
        statuses=case.statuses,
        metric_values=case.metric_values,
        supply=case.supply,
        catalog=case.catalog,
    )


def _mandatory_because(case: _Case) -> tuple[str, ...]:
    """Why a review would be mandatory, one sentence each."""
    reasons: list[str] = []
    if case.evaluation.outcome.rank >= PolicyOutcome.REVIEW_REQUIRED.rank:
        reasons += [result.reason for result in case.evaluation.standing() if result.effect is not RuleEffect.ADVISE]
    return (*reasons, *case.reasons)


def _reasons_of_artifact(evidence: EvidenceSnapshot, *, subject: EvaluationSubject) -> tuple[str, ...]:
    """Why a review would be mandatory whatever the rules say of it; the screening asks the same three questions."""
    request = evidence.request
    reasons = (
        REVIEWED_BEFORE if is_reviewed_before(request, now=evidence.now) else "",
        CLASSIFIED_OTHERWISE if is_classified_otherwise(request.model_version, subject=subject) else "",
        reason_of_sum(evidence),
    )
    return tuple(filter(None, reasons))


def _named(version: PolicyVersion | ChecklistVersion, title: str) -> VersionName:
    page = reverse("governance:policy", args=[version.plural, version.name, version.number])
    return VersionName(
        name=version.name,
        number=version.number,
        title=title,
        digest=version.digest,
        html_url=f"{settings.WEIGHBRIDGE['BASE_URL']}{page}",
    )


def _other_policies(subject: EvaluationSubject, *, name: str) -> tuple[OtherPolicy, ...]:
    """The policies that would cover the subject if the model did something else, with what they want."""
    policies = applying(policies_in_force(), subject=replace(subject, task=""))
    return tuple(
        OtherPolicy(
            name=policy.name,
            title=policy.title,
            tasks=policy.applies_to.tasks,
            metrics=metrics_of(policy, checklist=checklist_in(checklist)),
        )
        for policy in policies
        if policy.name != name and policy.applies_to.tasks and subject.task not in policy.applies_to.tasks
        for checklist in ChecklistVersion.objects.filter(state=DocumentState.PUBLISHED, name=policy.checklist)
    )
