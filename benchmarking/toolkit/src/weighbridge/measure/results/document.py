"""The `weighbridge.result/1` document of a profile."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.measure import metrics, scenario_metrics
from weighbridge.measure.conditions import energy, manifest
from weighbridge.measure.conditions.model_file import file_entry
from weighbridge.measure.inputs.queries import Queries, words_without_sizes
from weighbridge.measure.loops.arrivals import ServerRun
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.results.size_classes import latency_by_size
from weighbridge.measure.scenarios import ProfileSettings, Scenario
from weighbridge.measure.timed_run import TimedRun, judge_run
from weighbridge.measure.verdict import Status, ValidityReason, Verdict
from weighbridge.quality.metrics.registry import find_metric
from weighbridge.quality.scores import Quality
from weighbridge.statistics.order_statistics import tukey_counts
from weighbridge.systems.registry import LoadedSystem, SystemUnderTest

SCHEMA = "weighbridge.result/1"
MAX_STORED_SAMPLES = 20_000


def unmeasured_document(
    system: SystemUnderTest,
    queries: Queries,
    scenario: Scenario,
    described: Mapping[str, Any],
    load_time_ms: float,
) -> dict[str, Any]:
    """Return the result of a model whose inputs have no size: invalid, with what is known without a query."""
    sizes = system.sizes(None)
    text = words_without_sizes(queries.unstated)
    verdict = Verdict((ValidityReason("inputs.size", Status.INVALID, text),))
    return {
        "schema": SCHEMA,
        "is_partial": False,
        "scenario": scenario.NAME,
        "headline": scenario.HEADLINE,
        "verdict": verdict.as_document(),
        "metrics": {"load_time_ms": metrics.point_metric(load_time_ms, "ms"), **sizes.metrics},
        "early_stopping": {},
        "by_size": None,
        "limit": None,
        "missing": [{"metric": scenario.HEADLINE, "message": text}, *missing_entries(sizes.missing)],
        "run": {
            "duration_s": 0.0,
            "failures": {},
            "distinct_inputs": 0,
            "warmup": None,
            "outliers": None,
            "interference": None,
        },
        "confusion": None,
        "per_class": None,
        "scores": None,
        "quality_verdict": None,
        "manifest": manifest.seal_manifest(described),
        "samples": {"latency_ns": [], "stride": 1},
    }


def missing_entries(reasons: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the metrics without a value with their reasons, as a result lists them."""
    return [{"metric": name, "message": reason} for name, reason in reasons.items()]


def run_document(
    seen: TimedRun,
    queries: Queries,
    settings: ProfileSettings,
    metric_values: dict[str, Mapping[str, Any]],
    described: dict[str, Any],
    missing: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Return the result of a timed run on this machine, without quality."""
    unseen = missing_entries(seen.card.missing) if seen.card is not None else []
    return timed_document(
        seen.run,
        queries,
        settings.scenario,
        metric_values,
        described | ({"gpu": seen.card.manifest} if seen.card is not None else {}),
        verdict=judge_run(seen, settings),
        interference=seen.interference.as_document(),
        missing=[*missing, *energy.missing_energy(tuple(metric_values)), *unseen],
    )


def timed_document(
    run: LatencyRun,
    queries: Queries,
    scenario: Scenario,
    metric_values: Mapping[str, Mapping[str, Any]],
    described: Mapping[str, Any],
    *,
    verdict: Verdict,
    interference: Mapping[str, Any] | None,
    missing: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Return the result of a run on any machine, without quality; `interference` is None if it is not visible."""
    return {
        "schema": SCHEMA,
        "is_partial": run.is_partial,
        "scenario": scenario.NAME,
        "headline": scenario.HEADLINE,
        "verdict": verdict.as_document(),
        "metrics": metric_values,
        "early_stopping": scenario_metrics.early_stopping(run),
        "by_size": latency_by_size(run, queries.sizes),
        "limit": scenario_metrics.limit_answer(run, scenario),
        "missing": [*scenario_metrics.missing_metrics(run, scenario), *missing],
        "run": {
            "duration_s": round(run.duration_s, 3),
            "failures": run.failures,
            "distinct_inputs": run.distinct_inputs,
            "warmup": dataclasses.asdict(run.warmup),
            "outliers": tukey_counts(run.latencies_ns),
            "interference": interference,
        },
        "confusion": None,
        "per_class": None,
        "scores": None,
        "quality_verdict": None,
        "manifest": manifest.seal_manifest(described),
        "samples": _samples(run),
    }


def with_quality(document: dict[str, Any], quality: Quality) -> dict[str, Any]:
    """Return the result with the quality of its answers."""
    measured = quality.measured
    names = [*measured.intervals, *measured.points]
    scored = document["metrics"] | metrics.quality_metrics(measured, map(find_metric, names))
    confusion = quality.confusion.tolist() if quality.confusion is not None else None
    return document | {
        "metrics": scored,
        "missing": [*document["missing"], *missing_entries(measured.missing)],
        "confusion": confusion,
        "per_class": metrics.class_metrics(quality),
        "scores": quality.reading or None,
    }


def without_quality(document: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a run that ended before its quality was measured."""
    entry = {"metric": "accuracy", "message": "Quality was not measured: the run ended before."}
    return document | {"is_partial": True, "missing": [*document["missing"], entry]}


def _samples(run: LatencyRun) -> dict[str, Any]:
    """Return the latencies in order of time, every `stride`-th if there are many; the metrics use all of them."""
    stride = max(1, math.ceil(len(run.latencies_ns) / MAX_STORED_SAMPLES))
    responses = {"response_ns": run.responses_ns[::stride].tolist()} if isinstance(run, ServerRun) else {}
    return {"latency_ns": run.latencies_ns[::stride].tolist(), **responses, "stride": stride}


def describe_run(
    system: SystemUnderTest, data: Path | None, runner: LoadedSystem, queries: Queries, settings: ProfileSettings
) -> dict[str, Any]:
    """Return the conditions of a run, for its manifest."""
    return {
        "model": dict(system.model),
        "data": file_entry(data),
        "inputs": {"origin": queries.origin, "declared": [spec.as_document() for spec in runner.inputs]},
        "settings": to_document(settings),
        "engine": runner.describe(),
        "libraries": manifest.library_versions(),
        "machine": manifest.describe_machine(),
    }
