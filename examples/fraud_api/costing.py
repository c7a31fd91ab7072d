"""Costing: the spec file of the three options, from what was measured and what was declared, and its projection.

The load curve is a working week with a busiest hour of 1,000 transactions a second. Own replicas are sized for a p95
within 200 ms from the processor time that the local server took for one answer; another machine may take more or less.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from examples.fraud_api.settings import LIMIT_MS, PEAK_PER_S, Ends, FraudSettings
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, SECONDS_PER_HOUR, weekly_shape

HOURS_OF_WEEK = 40
# Another processor than the one measured on, and a day worse than the one measured.
OTHER_MACHINE: Ends = (0.7, 2.0)
SPEC: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("cost-spec.yaml").read_text())
OPTIONS: dict[str, str] = {option["id"]: option["title"] for option in SPEC["options"]}


def requests_per_year() -> float:
    """Return the year's transactions of a working week whose busiest hour has the peak rate."""
    return float(PEAK_PER_S / weekly_shape().max() * HOURS_PER_YEAR * SECONDS_PER_HOUR)


def spec_of(
    settings: FraudSettings, trainings: Mapping[str, Mapping[str, Any]], tests: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Fill the spec (`kind: CostSpec`) from the records of training and firing, by option."""
    year = requests_per_year()
    options = []
    for option in SPEC["options"]:
        name = option["id"]
        parts = _own(settings, trainings[name], tests[name]) if name in trainings else _managed(settings, tests[name])
        parts["ownership"] = _ownership(name, settings)
        options.append({**option, **{part: {**option[part], **values} for part, values in parts.items()}})
    filled = {"seed": settings.seed, "draws": settings.draws, "load": {"requests_per_year": [year * 0.8, year * 1.25]}}
    return {**SPEC, **filled, "options": options}


def _managed(settings: FraudSettings, test: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    declared = settings.declared
    failed = test["load"]["metrics"]["error_rate"]
    serving = {
        "prices": {"sku": declared.model_sku},
        "input_tokens": list(declared.input_tokens),
        "output_tokens": list(declared.output_tokens),
        "retry_share": [max(failed["value"], 1e-4), max(failed["upper"], 2e-4)],
    }
    return {"serving": serving}


def _own(settings: FraudSettings, trained: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    instance, timings, rate = {"sku": settings.declared.instance_sku}, test["timings"], trained["rows_per_s"]
    serving = {
        "service_s": [timings["mean_s"] * end for end in OTHER_MACHINE],
        "cv": timings["cv"],
        "limit_s": LIMIT_MS / 1e3,
        "slots": settings.declared.slots,
        "usd_per_replica_h": instance,
    }
    return {
        "work": {"samples": trained["passes"], "samples_per_gpu_s": [rate * 0.5, rate * 2]},
        "training": {"usd_per_gpu_h": instance | {"divided_by": 1}},
        "serving": serving,
    }


def _ownership(option: str, settings: FraudSettings) -> dict[str, Any]:
    """Return development (weeks of people at their hourly rates) and maintenance."""
    declared, rates = settings.declared, SPEC["people"]["engineer_usd_per_h"]
    people, weeks = declared.people[option], declared.weeks[option]
    development = [people * each * HOURS_OF_WEEK * rate for each, rate in zip(weeks, rates, strict=True)]
    return {"development_usd": development, "maintenance_fte": list(declared.maintenance_fte[option])}
