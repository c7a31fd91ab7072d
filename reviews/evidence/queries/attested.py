"""The plan that signed results follow, the keys that may sign them, and the attested results of a request."""

import base64
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from benchmarking.runs.domain.alternatives import VariantLine, variant_lines_of
from benchmarking.runs.domain.frontiers import frontier_charts
from governance.people.queries.people import name_of
from governance.rulebook.domain.trust import Trust
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries.rulebook import in_force, policy_in
from governance.site.domain.charts.chart import PageChart
from reviews.evidence.domain.attested import (
    ALTERNATIVES_KEY,
    EvaluationPlan,
    chance_words,
)
from reviews.evidence.domain.planned import benchmark_document
from reviews.evidence.models import AttestedStatement
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import fixed_policy_version
from weighbridge.core.errors import WrongState
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.optimization.language.checked import METRIC as ALTERNATIVES_METRIC


@dataclass(frozen=True, kw_only=True)
class AttestedView:
    """An attested result on the page; `audit` says whether it was drawn to be measured again, and with what.

    `variants` are cheaper alternatives to a language model that the result counts.
    """

    id: int
    tool: str
    key_name: str
    signer: str
    verdict: str
    started_at: datetime
    finished_at: datetime
    received_by: str
    received_at: datetime
    metrics: tuple[str, ...]
    audit: str
    variants: tuple[VariantLine, ...] = ()
    frontiers: tuple[PageChart, ...] = ()


def plan_of(request: ReviewRequest) -> EvaluationPlan:
    """The plan that was fixed at submission, or since then with other data. Raises WrongState before."""
    policy = fixed_policy_version(request)
    if request.submitted_at is None:
        raise WrongState("The plan of a request is fixed when it is submitted.")
    return EvaluationPlan(
        request=request.ref,
        subject=request.model_version.digest,
        policy=policy.digest,
        data=request.dataset.digest if request.dataset else "",
        issued_at=request.data_since or request.submitted_at,
        benchmarks=tuple(benchmark_document(plan) for plan in policy_in(policy).benchmarks),
    )


def trust_of(request: ReviewRequest) -> Trust:
    """The keys that the policy of the request and the version of it in force both trust for the team.

    A key that a later version no longer names is not trusted any more, whenever the request was submitted.
    """
    fixed = policy_in(fixed_policy_version(request)).trust
    if not fixed.keys:
        return fixed
    current = in_force(kind=PolicyVersion.plural, name=fixed_policy_version(request).name)
    if not isinstance(current, PolicyVersion):
        return Trust()
    latest = policy_in(current).trust
    still = {key.id for key in latest.keys_for(request.team.slug)}
    keys = tuple(key for key in fixed.keys_for(request.team.slug) if key.id in still)
    return replace(fixed, keys=keys, audit_share=max(fixed.audit_share, latest.audit_share))


def attested_views(request: ReviewRequest) -> tuple[AttestedView, ...]:
    """Every attested result, the latest first."""
    rows = AttestedStatement.objects.filter(request=request).select_related("received_by").order_by("-pk")
    rows = rows.prefetch_related("metric_records")
    return tuple(_view(row) for row in rows)


def _view(row: AttestedStatement) -> AttestedView:
    audit = "not drawn to be measured again"
    if row.is_audited:
        audit = f"measured again as run {row.audit_run_id}" if row.audit_run_id else "drawn, but cannot be run here"
    return AttestedView(
        id=row.pk,
        tool=row.tool,
        key_name=row.key_name,
        signer=row.signer,
        verdict=row.verdict,
        started_at=row.started_at,
        finished_at=row.finished_at,
        received_by=name_of(row.received_by),
        received_at=row.received_at,
        metrics=tuple(record.name for record in row.metric_records.all()),
        audit=audit,
        variants=(variants := variant_lines_of(document := _alternatives(row))),
        frontiers=frontier_charts(document, variants, anchor=f"attested-{row.pk}"),
    )


def _alternatives(row: AttestedStatement) -> dict[str, Any]:
    """The alternatives in the manifest of a result that counts them; they were checked when it arrived."""
    if ALTERNATIVES_METRIC not in {record.name for record in row.metric_records.all()}:
        return {}
    statement: Any = parse_object(base64.b64decode(row.envelope["payload"]), limits=MEASUREMENT)
    document = statement["predicate"]["manifest"][ALTERNATIVES_KEY]
    standings = document.get("standings")
    return dict(document | {"standings": standings if isinstance(standings, dict) else {}})


def attested_variants(request: ReviewRequest) -> tuple[VariantLine, ...]:
    """The cheaper alternatives of the latest attested result that has some."""
    return next((view.variants for view in attested_views(request) if view.variants), ())


def audit_words(request: ReviewRequest, *, results: int) -> str:
    """The chance that inflated results of this request are found, as a sentence; "" if none is measured again."""
    return chance_words(share=trust_of(request).audit_share, results=results)
