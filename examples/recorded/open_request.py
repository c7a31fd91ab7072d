"""A second request for the recording: really measured, approved by two reviewers, waiting for the lead."""

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from benchmarking.projections import actions as kept
from benchmarking.runs.enums import RunVerdict
from benchmarking.runs.models import Dataset, Run
from benchmarking.runs.queries.runs import of_request
from benchmarking.runs.tasks import execute_run
from examples.company.__main__ import finish_jobs
from examples.company.story import ANSWERS
from examples.recorded.tour import TITLE
from governance.inventory.models import ModelVersion
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.filings import Filing
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, projections, requests, review
from reviews.workflow.actions.evidence import StatedValue
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD

CASE = (
    "Suggestions stop when the first classifier is retrained. A ResNet beside it answers meanwhile, and the platform "
    "team asks for a second network family. Training needs 240 GPU hours; serving needs one small server."
)
CLAIMS = (("training_gpu_hours", "240"), ("latency_p95_ms", "3"), ("accuracy", "0.82"), ("business_kpi_delta", "0.004"))
VOTES = (
    ("reviewer1", "Latency is within its limit; accuracy is close to the floor, and the lead should look at it."),
    ("reviewer2", "The rollback is rehearsed. The INT8 variant costs less and answers the same."),
)
A_YEAR, RULES = 3_000_000, "rules"
ATTEMPTS = 5


def file_open_request(*, model: Path, rival: Path) -> str:
    """File, measure and complete the request, and have both reviewers approve. Returns its reference."""
    author, now = User.objects.get(username="requester"), timezone.now()
    filing = Filing(
        title=TITLE,
        purpose="Answer while the first classifier is retrained",
        environment="prod",
        business_case=CASE,
        model_version=_registered(model),
        dataset=Dataset.objects.get(name__startswith="Fashion-MNIST"),
        rivals=(_registered(rival),),
    )
    request = requests.create(filing=filing, by=author, now=now)
    for name, value in CLAIMS:
        evidence.state_metric_value(request=request, statement=_claim(name, value), by=author, now=now)
    projection = kept.project_and_store(spec=cost_spec(on=now.date()), by=author, now=now)
    projections.state(request=request, projection=projection, option="own-server", by=author, now=now)
    request = requests.submit(request=request, by=author, now=timezone.now())
    for run in of_request(request.ref):
        _measure(request, run, author)
    _complete(request, author)
    review.request_review(request=request, by=author, now=timezone.now())
    for name, why in VOTES:
        voter = User.objects.get(username=name)
        choice, stage = VoteChoice.APPROVE, "technical"
        review.vote(request=request, stage_id=stage, choice=choice, rationale=why, by=voter, now=timezone.now())
    return request.ref


def _measure(request: ReviewRequest, run: Run, author: User) -> None:
    """Run a benchmark here. Other work on the machine makes it invalid; then it is run again, a few times at most."""
    for _ in range(ATTEMPTS):
        execute_run(run.pk)
        finish_jobs()  # the measured values become evidence
        run.refresh_from_db()
        if run.verdict != RunVerdict.INVALID:
            return
        run = evidence.measure_again(request=request, run=run, by=author, now=timezone.now())
    raise SystemExit(f"{run} was invalid {ATTEMPTS} times: {run.error or 'other work used the processors'}.")


def cost_spec(*, on: date) -> dict[str, Any]:
    """One server of our own or a larger one, and what their answers are worth beside fixed rules."""
    dated = {"as_of": on.isoformat(), "source": "list price, AWS us-east-1"}
    training = {"gpu_hours": 240, "usd_per_gpu_h": {"usd": 3.431, "unit": "gpu_h", **dated}}
    return {
        "apiVersion": "weighbridge/v1",
        "kind": "CostSpec",
        "name": TITLE,
        "draws": 2000,
        "max_price_age_days": 365,
        "load": {"requests_per_year": [int(A_YEAR * 0.7), int(A_YEAR * 1.4)]},
        "options": [
            _option("own-server", "One server with an L4", 0.805, dated) | {"training": training},
            _option("larger-server", "A larger server with an L4", 1.323, dated) | {"training": training},
            _option(RULES, "Fixed rules on a small server", 0.05, dated),
        ],
        "value": {
            "baseline": RULES,
            "adoption": [0.6, 0.9],
            "stakes": {"kind": "deflection", "usd_per_contact": [0.03, 0.05]},
        },
    }


def _option(name: str, title: str, usd: float, dated: dict[str, Any]) -> dict[str, Any]:
    serving = {
        "kind": "self-hosted",
        "service_s": [0.002, 0.004],
        "limit_s": 0.1,
        "min_replicas": 1,
        "usd_per_replica_h": {"usd": usd, "unit": "instance_h", **dated},
    }
    shares = [0.6, 0.66] if name == RULES else [0.8, 0.84]
    quality = {"kind": "level", "metric": shares, "source": "the test of the team"}
    return {"id": name, "title": title, "quality": quality, "serving": serving, "ownership": {"development_usd": 0}}


def _registered(model: Path) -> ModelVersion:
    digest = f"sha256:{hashlib.sha256(model.read_bytes()).hexdigest()}"
    return ModelVersion.objects.get(digest=digest)


def _claim(name: str, value: str) -> StatedValue:
    source = "the training log of the team"
    return StatedValue(name=name, value=Decimal(value), unit=STANDARD[name].unit, basis=Basis.DECLARED, source=source)


def _complete(request: ReviewRequest, author: User) -> None:
    now = timezone.now()
    for found in EvidenceSnapshot(request, now).contradictions:
        why = "The claim came from the training images; please use the measured value."
        evidence.answer_contradiction(request=request, name=found.contradiction.name, text=why, by=author, now=now)
    for item, text in ANSWERS.items():
        evidence.answer_item(request=request, item_id=item, text=text, by=author, now=now)
    evidence.answer_item(request=request, item_id="rollback-rehearsed", is_attested=True, by=author, now=now)
