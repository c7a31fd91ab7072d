"""Plain builders: a metric value, a rule, a policy document, each valid until the test says otherwise."""

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from governance.rulebook.domain.policy import Policy, parse_policy
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
BEFORE = datetime(2026, 10, 1, 12, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32


def metric_value(name: str = "training_gpu_hours", value: str = "120", **fields: Any) -> MetricValue:
    for key in ("lower", "upper", "confidence"):
        if isinstance(fields.get(key), str):
            fields[key] = Decimal(fields[key])
    unit = fields.pop("unit", STANDARD[name].unit if name in STANDARD else "USD")
    return MetricValue(
        **{
            "name": name,
            "value": Decimal(value),
            "unit": unit,
            "basis": Basis.DECLARED,
            "observed_at": BEFORE,
            **fields,
        }
    )


def rule(**fields: Any) -> dict[str, Any]:
    return {
        "id": "gpu",
        "metric": "training_gpu_hours",
        "comparator": "at_most",
        "limit": 500,
        "unit": "gpu_h",
        "accept": ["declared"],
        "effect": "require_review",
        "message": "Too many GPU hours.",
        **fields,
    }


def p95_rule(**fields: Any) -> dict[str, Any]:
    return rule(
        **{
            "id": "p95",
            "metric": "latency_p95_ms",
            "limit": 100,
            "unit": "ms",
            "accept": ["measured"],
            "statistic": "upper",
            "min_n": 2000,
            "message": "Too slow.",
            **fields,
        }
    )


def document(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return deepcopy(
        {
            "apiVersion": "weighbridge/v1",
            "kind": "ReviewPolicy",
            "name": "default",
            "title": "Default policy",
            "rules": list(rules) or [rule()],
            "stages": [
                {"id": "technical", "title": "Technical review", "role": "reviewer", "quorum": 2},
                {"id": "budget", "title": "GPU budget", "role": "platform_lead", "quorum": 1},
            ],
            "benchmarks": [{"scenario": "SingleStream", "min_samples": 3000, "needs_data": True}],
            "checklist": "standard",
            "authorization": {"valid_days": 365, "warn_days": 30},
            "deadline_days": 30,
            **fields,
        }
    )


def policy(*rules: dict[str, Any], **fields: Any) -> Policy:
    return parse_policy(document(*rules, **fields))
