"""Costing: the spec file of the three options, from what was measured and what was declared, and its projection.

The load curve is a working week with a busiest hour of 1,000 transactions a second. Own replicas are sized for a p95
within 200 ms from the processor time that the local server took for one answer; another machine may take more or less.
"""

from collections.abc import Mapping
from typing import Any

from examples.fraud_api.settings import LIMIT_MS, PEAK_PER_S, Ends, FraudSettings
from weighbridge.core.documents import API_VERSION
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, SECONDS_PER_HOUR, weekly_shape

HOURS_OF_WEEK = 40
ENGINEER_USD_PER_H: Ends = (80, 120)
# Another processor than the one measured on, and a day worse than the one measured.
OTHER_MACHINE: Ends = (0.7, 2.0)
OPTIONS = {"a": "A managed API (stand-in)", "b": "B fine-tuned FT-Transformer", "c": "C light custom model"}
SCORES = {
    "a": {
        "data_portability": 2,
        "api_dependency": 5,
        "feature_exclusivity": 3,
        "switching_effort": 3,
        "alternatives": 2,
        "knowledge": 2,
    },
    "b": {
        "data_portability": 1,
        "api_dependency": 1,
        "feature_exclusivity": 1,
        "switching_effort": 2,
        "alternatives": 1,
        "knowledge": 3,
    },
    "c": {
        "data_portability": 1,
        "api_dependency": 1,
        "feature_exclusivity": 2,
        "switching_effort": 2,
        "alternatives": 1,
        "knowledge": 4,
    },
}


def requests_per_year() -> float:
    """Return the year's transactions of a working week whose busiest hour has the peak rate."""
    return float(PEAK_PER_S / weekly_shape().max() * HOURS_PER_YEAR * SECONDS_PER_HOUR)


def spec_of(
    settings: FraudSettings, lessons: Mapping[str, Mapping[str, Any]], tests: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the spec (`kind: CostSpec`) from the records of training and firing, by option."""
    year = requests_per_year()
    return {
        "apiVersion": API_VERSION,
        "kind": "CostSpec",
        "name": "fraud detector",
        "currency": "USD",
        "seed": settings.seed,
        "draws": settings.draws,
        "load": {"requests_per_year": [year * 0.8, year * 1.25]},
        "people": {"engineer_usd_per_h": list(ENGINEER_USD_PER_H), "fte_usd": [150_000, 250_000]},
        "horizon": {"years": 3, "discount_rate": 0.08, "volume_growth": 0.1},
        "options": [
            _managed(settings, tests["a"]),
            *(_own(option, settings, lessons[option], tests[option]) for option in ("b", "c")),
        ],
    }


def _managed(settings: FraudSettings, test: Mapping[str, Any]) -> dict[str, Any]:
    declared = settings.declared
    failed = test["load"]["metrics"]["error_rate"]
    return {
        "id": "a",
        "title": OPTIONS["a"],
        "serving": {
            "kind": "managed-api",
            "prices": {f"{meter}_usd": {"sku": declared.model_sku, "meter": meter} for meter in ("input", "output")},
            "input_tokens": list(declared.input_tokens),
            "output_tokens": list(declared.output_tokens),
            "retry_share": [max(failed["value"], 1e-4), max(failed["upper"], 2e-4)],
        },
        "ownership": _ownership("a", settings) | {"audit_usd": 15_000},
        "lock_in": {
            "rework_hours": [80, 200],
            "code_hours": [40, 120],
            "parallel_months": [1, 3],
            "switch_probability": 0.3,
            "scores": SCORES["a"],
        },
    }


def _own(option: str, settings: FraudSettings, lesson: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    declared, timings = settings.declared, test["timings"]
    instance = {"sku": declared.instance_sku}
    return {
        "id": option,
        "title": OPTIONS[option],
        "work": {
            "kind": "pilot",
            "samples": lesson["passes"],
            "epochs": 1,
            "samples_per_gpu_s": [lesson["rows_per_s"] * 0.5, lesson["rows_per_s"] * 2],
        },
        "training": {
            "usd_per_gpu_h": instance | {"divided_by": 1},
            "trials": [10, 40],
            "trial_share": 1.0,
            "failed_share": [0.02, 0.1],
            "labeling_usd": [15_000, 40_000],
        },
        "serving": {
            "kind": "self-hosted",
            "service_s": [timings["mean_s"] * end for end in OTHER_MACHINE],
            "cv": timings["cv"],
            "limit_s": LIMIT_MS / 1e3,
            "share": 0.95,
            "slots": declared.slots,
            "min_replicas": 2,
            "burst": 1.5,
            "lag_h": 1,
            "usd_per_replica_h": instance,
        },
        "ownership": _ownership(option, settings)
        | {"monitoring_share": 0.2, "retrainings_per_year": 4, "audit_usd": 10_000},
        "lock_in": {"code_hours": [20, 80], "switch_probability": 0.1, "scores": SCORES[option]},
    }


def _ownership(option: str, settings: FraudSettings) -> dict[str, Any]:
    """Return development (weeks of people at their hourly rates) and maintenance."""
    declared = settings.declared
    people, weeks = declared.people[option], declared.weeks[option]
    development = [people * each * HOURS_OF_WEEK * rate for each, rate in zip(weeks, ENGINEER_USD_PER_H, strict=True)]
    return {"development_usd": development, "maintenance_fte": list(declared.maintenance_fte[option])}
