"""Requests in every state, walked there through the public actions, so that what tests see can really happen."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.budgets.actions import budgets
from governance.budgets.domain.quarterly_split import split_by_quarter
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.inventory.models import ModelVersion
from governance.people.models import Team
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, measurements, requests, review
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.actions.requests import Filing
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.remembered import remembered
from weighbridge.core.canonical import digest_of
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

PURPOSE = "Find products from a photograph"
DECLARED: Mapping[str, str] = {
    "training_gpu_hours": "320",
    "training_cost_usd": "9600",
    "inference_cost_1y_usd": "20400",
    "total_cost_1y_usd": "30000",
    "business_kpi_delta": "0.015",
}
MEASURED: Mapping[str, tuple[float, float, float, int]] = {
    "latency_p50_ms": (1.5, 1.4, 1.6, 3000),
    "latency_p95_ms": (2.0, 1.9, 2.2, 3000),
    "latency_p99_ms": (3.0, 2.8, 3.4, 3000),
    "throughput_per_s": (600.0, 590.0, 610.0, 3000),
    "accuracy": (0.91, 0.90, 0.92, 2000),
    "f1_macro": (0.90, 0.88, 0.91, 2000),
}
ANSWERS: Mapping[str, dict[str, Any]] = {
    "cheaper-alternatives": {"text": "MobileNet and an INT8 variant were tried; both lose four points of accuracy."},
    "owner-and-rollback": {"text": "The search team answers for it; the old model is back within five minutes."},
    "rollback-rehearsed": {"is_attested": True},
}


@remembered
def allocate_budget(*, by: User, now: datetime, team: Team, usd: str = "100000", gpu_h: str = "1000") -> None:
    """Something to spend this quarter; `by` holds the role finance."""
    quarter = str(Quarter.of(now.date()))
    for unit, amount in ((BudgetUnit.USD, usd), (BudgetUnit.GPU_H, gpu_h)):
        key = f"test:{team.slug}:{quarter}:{unit}"
        budgets.allocate(holder=team, quarter=quarter, unit=unit, amount=Decimal(amount), key=key, by=by, now=now)


def usd_shares(*, now: datetime, usd: str = "30000", once: str = "9600") -> list[Decimal]:
    """What approving a request of those costs now takes from each quarter, the present one first."""
    found = split_by_quarter(amount=Decimal(usd), once=Decimal(once), start_on=now.date(), days=365)
    return list(found.values())


@remembered
def make_draft(
    *,
    by: User,
    now: datetime,
    version: ModelVersion | None = None,
    with_data: bool = True,
    purpose: str = PURPOSE,
    title: str = "Visual search, autumn model",
    environment: str = "prod",
    declared: Mapping[str, str] = DECLARED,
) -> ReviewRequest:
    """A draft with its declared metric values."""
    filing = Filing(
        title=title,
        purpose=purpose,
        environment=environment,
        business_case="Raises conversion of the search page by 1.5 %.",
        model_version=version or make_version(by=by, now=now),
        dataset=make_dataset(by=by, now=now) if with_data else None,
    )
    request = requests.create(filing=filing, by=by, now=now)
    for name, value in declared.items():
        state_metric_value(request=request, name=name, value=value, by=by, now=now)
    return request


def state_metric_value(
    *, request: ReviewRequest, name: str, value: str, by: User, now: datetime, basis: Basis = Basis.DECLARED
) -> MetricRecord:
    statement = StatedValue(
        name=name, value=Decimal(value), unit=STANDARD[name].unit, basis=basis, source="training log"
    )
    return evidence.state_metric_value(request=request, statement=statement, by=by, now=now)


@remembered
def make_submitted(*, by: User, now: datetime, **changes: Any) -> ReviewRequest:
    """In evidence, because production always needs a measurement: ticket wanted, benchmark queued."""
    request = make_draft(by=by, now=now, **changes)
    return requests.submit(request=request, by=by, now=now)


def result_of(
    metrics: Mapping[str, tuple[float, float | None, float | None, int]] = MEASURED,
    *,
    verdict: str = "valid",
    reasons: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A result document of the toolkit: metric -> (value, lower, upper, n)."""
    manifest = {"isolation": "process", "model": {"digest": "sha256:" + "a" * 64}}
    return {
        "schema": "weighbridge.result/1",
        "verdict": {"status": verdict, "reasons": [{"code": "test", "message": reason} for reason in reasons]},
        "metrics": {
            name: {
                "value": value,
                "lower": lower,
                "upper": upper,
                "confidence": 0.95,
                "n": n,
                "unit": STANDARD[name].unit,
            }
            for name, (value, lower, upper, n) in metrics.items()
        },
        "manifest": manifest | {"digest": digest_of(manifest)},
        "samples": {"latency_ms": [1.4, 1.5, 1.6]},
    }


def keeping_samples(result: dict[str, Any], n: int = 2_000) -> dict[str, Any]:
    """The result with latencies whose p95 is exactly the one it states."""
    p95_ns = round(result["metrics"]["latency_p95_ms"]["value"] * 1e6)
    split_by_quarter = {0.92: 9, 0.98: 10, 1.0: 11}
    kept = [
        p95_ns * next(tenths for share, tenths in split_by_quarter.items() if i / n < share) // 10 for i in range(n)
    ]
    random.Random(5).shuffle(kept)
    return result | {"samples": {"latency_ns": kept, "stride": 1}}


def finish_run(*, run: Run, now: datetime, result: dict[str, Any] | None = None) -> Run:
    """Let a worker take the queued run and hand in a result (a good one unless given)."""
    claimed = Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=1))
    assert claimed is not None
    assert run_actions.finish(run=claimed, result=result or result_of(), now=now)
    claimed.refresh_from_db()
    return claimed


def take_results(*, request: ReviewRequest, now: datetime, result: dict[str, Any] | None = None) -> list[MetricRecord]:
    """Finish the runs of a submitted request and take them as evidence."""
    taken: list[MetricRecord] = []
    for run in runs.of_request(request.ref):
        if run.state == "queued":
            done = finish_run(run=run, now=now, result=result)
            taken += measurements.record_measurements(request=request, run=done, now=now)
    request.refresh_from_db()
    return taken


def answer_everything(*, request: ReviewRequest, by: User, now: datetime) -> None:
    """Answer the items of the standard checklist that people answer."""
    for item_id, answer in ANSWERS.items():
        evidence.answer_item(request=request, item_id=item_id, by=by, now=now, **answer)


def explain_everything(*, request: ReviewRequest, by: User, now: datetime) -> None:
    """Explain every contradicted claim that has no explanation yet."""
    for row in EvidenceSnapshot(request, now).contradictions:
        if not row.answer:
            text = "The projection replaces a first guess."
            evidence.answer_contradiction(request=request, name=row.contradiction.name, text=text, by=by, now=now)


@remembered
def make_ready(*, by: User, now: datetime, result: dict[str, Any] | None = None, **changes: Any) -> ReviewRequest:
    """In evidence with nothing missing: measured, answered, ready to ask for review."""
    request = make_submitted(by=by, now=now, **changes)
    take_results(request=request, now=now, result=result)
    answer_everything(request=request, by=by, now=now)
    return request


@remembered
def make_in_review(*, cast: Cast, now: datetime, **changes: Any) -> ReviewRequest:
    """Frozen and before the voters, with a budget for its team."""
    request = make_ready(by=cast.author, now=now, **changes)
    allocate_budget(team=request.team, by=cast.finance, now=now)
    return review.request_review(request=request, by=cast.author, now=now)


def approve_technically(*, request: ReviewRequest, cast: Cast, now: datetime) -> None:
    """The two votes that settle the first of the default stages."""
    for voter in (cast.reviewer_one, cast.reviewer_two):
        _approve(request, "technical", voter, now)


def approve(*, request: ReviewRequest, cast: Cast, now: datetime) -> ReviewRequest:
    """The three votes that settle the default stages."""
    approve_technically(request=request, cast=cast, now=now)
    _approve(request, "gpu-budget", cast.approver, now)
    request.refresh_from_db()
    return request


def _approve(request: ReviewRequest, stage_id: str, voter: User, now: datetime) -> None:
    choice, rationale = VoteChoice.APPROVE, "Fast and cheap."
    review.vote(request=request, stage_id=stage_id, choice=choice, rationale=rationale, by=voter, now=now)


@remembered
def make_decided(*, cast: Cast, now: datetime, **changes: Any) -> ReviewRequest:
    """Approved by three different people: authorization signed, budget committed, packet frozen."""
    return approve(request=make_in_review(cast=cast, now=now, **changes), cast=cast, now=now)
