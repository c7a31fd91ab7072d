"""Ten thousand requests are replayed by a policy in under two seconds of one processor. What it takes to read a hundred
thousand from the database and to replay them is recorded; the aim is ten seconds.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
import yaml
from django.db import connection

from governance.rulebook.domain import defaults
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.replay import ReplayCase, ReplayedRequest, compare
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from reviews.evidence.models import MetricRecord, PolicyEvaluation
from reviews.evidence.queries.backtests import backtest
from reviews.requests.models import ReviewRequest
from tests.integration.conftest import cast, checklist, decided, installation, now, policy, signing_key_pem
from tests.integration.reviews.evidence.test_backtest import drafted
from tests.masses import analyze, multiply, search_entered_at_the_end
from tests.performance.recorder import Recorder
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue

__all__ = ["cast", "checklist", "decided", "installation", "now", "policy", "signing_key_pem"]
REQUESTS, LIMIT_S = 10_000, 2.0
STORED, OF_ALL = 10_000, 100_000
NOW = datetime(2026, 10, 5, tzinfo=UTC)
DECLARED = (
    "training_gpu_hours",
    "training_cost_usd",
    "inference_cost_1y_usd",
    "total_cost_1y_usd",
    "business_kpi_delta",
)
MEASURED = (
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "throughput_per_s",
    "accuracy",
    "f1_macro",
    "alternatives_measured",
)


def figures(shares: np.ndarray) -> list[MetricValue]:
    """Twelve figures of a request, spread over the limits of the default policy; each measured one has an interval."""
    found = []
    for name, share in zip((*DECLARED, *MEASURED), shares, strict=True):
        scale = 1 if STANDARD[name].unit in {"ratio", "variants"} else 1000
        value = Decimal(str(round(float(share), 4))) * scale
        figure = MetricValue(
            name=name,
            value=value,
            unit=STANDARD[name].unit,
            basis=Basis.DECLARED,
            observed_at=NOW,
            source="training log",
        )
        if name in MEASURED:
            figure = replace(figure, basis=Basis.MEASURED, lower=value * 9 / 10, upper=value, n=3000)
        found.append(figure)
    return found


def test_ten_thousand_requests(keep: Recorder) -> None:
    """The default policy beside a stricter one, both replayed; the figures are in memory and sorted anew each time."""
    document = yaml.safe_load(defaults.text_of(defaults.POLICY))
    before = parse_policy(document)
    document["rules"][0]["limit"] = 1
    after = parse_policy(document)
    shares = np.random.default_rng(1).random((REQUESTS, len(DECLARED) + len(MEASURED)))
    told = [figures(row) for row in shares]
    subject = EvaluationSubject(
        team="search", tier="T1", environment="dev"
    )  # so that not every request is caught by what production must prove
    times = []
    for _ in range(3):
        begun = time.process_time()
        cases = [
            ReplayCase(
                request=ReplayedRequest(ref=str(n), subject=subject),
                index=index_values(each, catalog=STANDARD),
                at=NOW,
            )
            for n, each in enumerate(told)
        ]
        compared = compare(cases, before=[before], after=[after])
        times.append(time.process_time() - begun)
    assert len({each.after.outcome for each in compared}) > 1
    assert keep(
        "policy.backtest",
        min(times),
        "s of processor time",
        at_most=LIMIT_S,
        title=f"Back-test of two policy versions on {REQUESTS:,} requests of {len(told[0])} figures",
    ).is_held


def fill(request: ReviewRequest, count: int) -> None:
    """Add requests with the figures and the last evaluation of one, each figure times a factor of its own."""
    last = PolicyEvaluation.objects.filter(request=request).latest("pk")
    records = list(MetricRecord.objects.filter(request=request, pk__lte=last.told["metric_values_to"]))
    with search_entered_at_the_end():
        multiply(
            request,
            count=count,
            ref="'MRR-2015-' || lpad(n::text, 6, '0')",
            purpose="'purpose ' || n",
            state="'withdrawn'",
            replaces_id="NULL",
        )
    first = ReviewRequest.objects.latest("pk").pk - count
    factor = "* (1 + (n.n * 7919 %% 1000) / 1000.0)"
    for record in records:
        numbers = () if record.value <= 1 else ("value", "lower", "upper", "p80")  # a share stays one
        columns = {each: f"{each} {factor}" for each in numbers}
        multiply(
            record,
            count=count,
            request_id=f"{first} + n.n",
            n="evidence_metricrecord.n",
            **columns,
        )
    newest = MetricRecord.objects.latest("pk").pk
    told = f"jsonb_set(told, '{{metric_values_to}}', '{newest}')"
    multiply(last, count=count, request_id=f"{first} + n", told=told)
    analyze()


@pytest.mark.django_db
def test_requests_of_the_database(keep: Recorder, decided: ReviewRequest, policy, now: datetime) -> None:
    """A draft of the policy beside the one in force; seconds of processor time of this process, for so many of them."""
    with connection.cursor() as cursor:  # one run would have one value of each metric
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE evidence_metricrecord DROP CONSTRAINT IF EXISTS one_value_per_run_and_metric")
    fill(decided, STORED)
    draft = drafted(now, training_gpu_hours=5)
    begun, begun_s = time.process_time(), time.perf_counter()
    given = {"name": draft.name, "number": draft.number, "against": policy.number, "quarters": 4}
    found = backtest.run(backtest.question(**given, now=now))
    taken_s, whole_s = time.process_time() - begun, time.perf_counter() - begun_s
    assert found.request_count == STORED + 1
    keep(
        "policy.backtest_stored",
        taken_s * OF_ALL / STORED,
        "s of processor time",
        beside=f"for {STORED:,}: {taken_s:.1f} s of processor time, {whole_s:.1f} s in all",
        title=f"Back-test of {OF_ALL:,} requests of the database, from {STORED:,}",
    )
