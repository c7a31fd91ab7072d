"""Ten thousand requests are replayed by a policy in under two seconds of one processor."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import yaml

from governance.rulebook.domain import defaults
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.replay import ReplayCase, compare
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.performance.recorder import Recorder
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue

REQUESTS, LIMIT_S = 10_000, 2.0
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
        "search", "T1", "dev"
    )  # so that not every request is caught by what production must prove
    times = []
    for _ in range(3):
        begun = time.process_time()
        cases = [
            ReplayCase(ref=str(n), subject=subject, index=index_values(each, catalog=STANDARD), at=NOW)
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
