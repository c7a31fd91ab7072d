"""Alternatives: cheaper variants of an ONNX file made and measured in one go, as one result that a review can take."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarking.domain.alternatives import ALTERNATIVES, AlternativesWanted
from benchmarking.toolkit.measure import metrics
from benchmarking.toolkit.measure.inputs import read_data_set
from benchmarking.toolkit.optimise import series
from benchmarking.toolkit.optimise.comparison import ComparisonSettings
from benchmarking.toolkit.optimise.plan import Choice, of_file
from benchmarking.toolkit.optimise.trial import TrialSettings
from benchmarking.toolkit.optimise.workshop import Follow
from benchmarking.toolkit.runners.limits import Limits
from benchmarking.toolkit.tradeoff.axes import DEFAULT_AXES, axes_of, axis_of
from benchmarking.toolkit.tradeoff.candidates import Answer, Candidate, Candidates
from benchmarking.toolkit.tradeoff.charts.drawing import svg
from benchmarking.toolkit.tradeoff.charts.plane import trade_off
from benchmarking.toolkit.tradeoff.pareto import weigh

# From the least to the most believable; the result is as believable as its weakest measured variant.
STATUSES = ("invalid", "indicative", "valid")
# A small data set calibrates with fewer rows than were wanted, so that enough are left to test on.
MOST_CALIBRATION_SHARE = 0.25
# Drawn with the result by the worker: a web process should not load a drawing engine.
CHARTS = {"accuracy-latency": "latency_p95_ms", "accuracy-size": "model_size_mb"}
NOT_VARIANTS = (Answer.BASELINE, Answer.FAILED)


def measure_alternatives(
    wanted: AlternativesWanted, *, model: Path, data: Path, limits: Limits, folder: Path, follow: Follow,
    now: Callable[[], datetime],
) -> dict[str, Any]:  # fmt: skip
    """Make and measure variants behind the fence, in `folder`; return a `weighbridge.candidates/1` mapping with a verdict.

    Its metric `alternatives_measured` counts the variants whose measurement is evidence; the verdict is that of the
    weakest of them. Raises Invalid for data or names that do not fit, RunFailed and RunCancelled.
    """
    rows = len(read_data_set(data).x)
    choice = Choice(
        folder=folder, only=wanted.variants, limits=limits,
        calibrate=max(1, min(wanted.calibration_rows, int(rows * MOST_CALIBRATION_SHARE))),
        settings=TrialSettings(comparison=ComparisonSettings(margin=wanted.max_quality_drop)),
    )  # fmt: skip
    planned = of_file(model, data, calibration=None, choice=choice)
    found = series.run(planned, follow=follow, now=now, keep=lambda _: None)
    return as_result(found, left_out=planned.left_out)


def as_result(found: Candidates, *, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """Return candidates in the form in which runs are stored: scenario, verdict and metrics beside them, JSON's own types."""
    measured = [candidate for candidate in found.candidates if is_evidence(candidate)]
    document: dict[str, Any] = json.loads(json.dumps(found.as_document()))
    statuses = [candidate.measurement.status for candidate in measured if candidate.measurement]
    return {
        **document,
        "scenario": ALTERNATIVES,
        "verdict": {"status": min(statuses, key=STATUSES.index, default=STATUSES[0]), "reasons": _reasons(found)},
        "metrics": {"alternatives_measured": metrics.single(len(measured), "variants")} if measured else {},
        "left_out": list(left_out),
        "standings": {
            standing.name: f"{standing.state.value} (P {standing.p_frontier:.2f})"
            for standing in weigh(found.candidates, axes_of(DEFAULT_AXES)).standings
        },
        "charts": [_drawn(found, name, across) for name, across in CHARTS.items()] if measured else [],
    }


def _drawn(found: Candidates, name: str, across: str) -> dict[str, str]:
    chart = trade_off(found.candidates, across=axis_of(across), up=axis_of("accuracy"))
    return {"name": name, "title": chart.title, "alt": chart.alt, "svg": svg(chart)}


def is_evidence(candidate: Candidate) -> bool:
    """Whether a variant was made and measured well enough to be weighed."""
    status = candidate.measurement.status if candidate.measurement else STATUSES[0]
    return candidate.verdict.answer not in NOT_VARIANTS and status != STATUSES[0]


def _reasons(found: Candidates) -> list[dict[str, str]]:
    """Why the figures are doubted, each kind of doubt once with the variants it concerns, and what failed."""
    named: dict[str, tuple[list[str], str]] = {}
    for candidate in found.candidates:
        is_failed = candidate.verdict.answer is Answer.FAILED
        doubts = (
            candidate.verdict.reasons if is_failed else candidate.measurement.reasons if candidate.measurement else ()
        )
        for doubt in doubts:
            code = f"failed.{doubt.code}" if is_failed else doubt.code
            names, _ = named.setdefault(code, ([], doubt.message))
            names.append(candidate.name)
    return [{"code": code, "message": f"{', '.join(names)}: {first}"} for code, (names, first) in named.items()]
