"""Alternatives: the cheaper variants that a run creates and measures, and the result for each."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weighbridge.charts.drawing import svg
from weighbridge.core.errors import Refused
from weighbridge.measure import metrics
from weighbridge.measure.conditions import manifest
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.optimization import series
from weighbridge.optimization.comparison import VariantComparisonSettings
from weighbridge.optimization.families import merge_families
from weighbridge.optimization.plan import OptimizationChoice, of_file
from weighbridge.optimization.trial import TrialSettings
from weighbridge.optimization.variant_sandbox import Follow
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunCanceled
from weighbridge.tradeoff.axes import DEFAULT_AXES, axes_of, axis_of
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer
from weighbridge.tradeoff.charts.plane import trade_off
from weighbridge.tradeoff.pareto import weigh

# The scenario of such a run, in addition to MLPerf's scenarios.
ALTERNATIVES = "alternatives"


@dataclass(frozen=True)
class Rival:
    """Another model to measure in the same run: its name in the result, its row and its SHA-256."""

    family: str
    version_id: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class AlternativesWanted:
    """Variants by the toolkit's names, the quality they may lose (0.01: one point), and the number of calibration rows.

    With `rivals`, the model itself is named `family`; rivals and their variants are measured in the same way.
    """

    variants: tuple[str, ...]
    max_quality_drop: float
    calibration_rows: int
    family: str = ""
    rivals: tuple[Rival, ...] = ()


# From the least to the most reliable; the result is as reliable as its weakest measured variant.
STATUSES = ("invalid", "indicative", "valid")
# A small data set calibrates with fewer rows, so that enough are left to test on.
MOST_CALIBRATION_SHARE = 0.25
# The worker draws these charts with the result, because a web process should not load a chart library.
CHARTS = {"accuracy-latency": "latency_p95_ms", "accuracy-size": "model_size_mb"}
NOT_VARIANTS = (VariantAnswer.BASELINE, VariantAnswer.FAILED)
NAMES_SHOWN = 3
NO_RIVALS: Mapping[str, Path] = MappingProxyType({})


def measure_alternatives(
    wanted: AlternativesWanted,
    *,
    model: Path,
    rivals: Mapping[str, Path] = NO_RIVALS,
    data: Path,
    limits: Limits,
    folder: Path,
    follow: Follow,
    now: Callable[[], datetime],
) -> dict[str, Any]:
    """Create and measure variants in the sandbox, in `folder`; return `weighbridge.candidates/1` with a verdict.

    Its metric `alternatives_measured` counts the model's own variants whose measurement is evidence; the verdict is
    that of the weakest of them. `rivals` (files by family) are measured in the same way, each with its own variants;
    one that cannot be measured is a failed candidate. Raises Invalid for data or names that do not match, RunFailed and
    RunCanceled.
    """
    rows = len(read_data_set(data))
    choice = OptimizationChoice(
        folder=folder,
        only=wanted.variants,
        limits=limits,
        calibrate=max(1, min(wanted.calibration_rows, int(rows * MOST_CALIBRATION_SHARE))),
        settings=TrialSettings(comparison=VariantComparisonSettings(margin=wanted.max_quality_drop)),
    )
    planned = of_file(model, data, calibration=None, choice=choice)
    names = [wanted.family, *rivals]
    parts = [_part(follow, name, number, len(names)) for number, name in enumerate(names)]
    found = series.run(planned, follow=parts[0], now=now, keep=lambda _: None)
    if not rivals:
        return as_result(found, left_out=planned.left_out)
    families = {wanted.family: found}
    for (family, file), part in zip(rivals.items(), parts[1:], strict=True):
        own = dataclasses.replace(choice, folder=folder / "rivals" / family)
        families[family] = _rival(family, file, data, own, part, now)
    digests = {family: (each.manifest or {}).get("digest") for family, each in families.items()}
    everything = merge_families(families, sealed=None, is_partial=False)
    described = {**(found.manifest or {}), "isolation": everything.isolation(), "families": digests}
    sealed = dataclasses.replace(everything, manifest=manifest.seal_manifest(described))
    return as_result(sealed, left_out=planned.left_out)


def _rival(
    family: str, file: Path, data: Path, choice: OptimizationChoice, follow: Follow, now: Callable[[], datetime]
) -> Candidates:
    """Measure a rival and its variants; if that is not possible, only the rival fails."""
    try:
        planned = of_file(file, data, calibration=None, choice=choice)
        return series.run(planned, follow=follow, now=now, keep=lambda _: None)
    except RunCanceled:
        raise
    except Refused as refused:
        only = series.failed_candidate(series.BASELINE, family, "as registered", refused)
        return Candidates(measured_at=now().isoformat(), baseline=series.BASELINE, candidates=(only,))


def _part(follow: Follow, name: str, number: int, of: int) -> Follow:
    """Return callbacks for one of `of` equal parts of the progress, named if there are several."""
    on_progress, should_stop = follow
    whose = f"{name}, " if of > 1 else ""
    return lambda share, doing: on_progress((number + share) / of, f"{whose}{doing}"), should_stop


def as_result(found: Candidates, *, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """Return candidates in the format of stored runs: with scenario, verdict and metrics, in JSON's own types."""
    own = found.named(found.baseline).family
    measured = [candidate for candidate in found.candidates if candidate.family == own and is_evidence(candidate)]
    document: dict[str, Any] = json.loads(json.dumps(found.as_document()))
    statuses = [candidate.measurement.status for candidate in measured if candidate.measurement]
    return {
        **document,
        "scenario": ALTERNATIVES,
        "verdict": {"status": min(statuses, key=STATUSES.index, default=STATUSES[0]), "reasons": _reasons(found)},
        "metrics": {"alternatives_measured": metrics.point_metric(len(measured), "variants")} if measured else {},
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
    """Return whether a variant was created and measured well enough to be compared."""
    status = candidate.measurement.status if candidate.measurement else STATUSES[0]
    return candidate.verdict.answer not in NOT_VARIANTS and status != STATUSES[0]


def _reasons(found: Candidates) -> list[dict[str, str]]:
    """Return the reasons for doubts about the estimates, each with its variants, and the failures."""
    named: dict[str, tuple[list[str], str]] = {}
    for candidate in found.candidates:
        is_failed = candidate.verdict.answer is VariantAnswer.FAILED
        measured = candidate.measurement.reasons if candidate.measurement else ()
        for doubt in candidate.verdict.reasons if is_failed else measured:
            code = f"failed.{doubt.code}" if is_failed else doubt.code
            names, _ = named.setdefault(code, ([], doubt.message))
            names.append(candidate.name)
    total = len(found.candidates)
    return [
        {"code": code, "message": f"{_some_of(names, total=total)}: {first}"} for code, (names, first) in named.items()
    ]


def _some_of(names: Sequence[str], *, total: int) -> str:
    """Return the names of candidates, in one line however many there are."""
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    if len(names) == total:
        return f"All {total} candidates"
    return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"
