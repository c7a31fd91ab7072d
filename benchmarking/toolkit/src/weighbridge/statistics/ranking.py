"""Ranking of models after interleaved rounds: faster, slower or tied, and loss of quality."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.blocks import Blocks, is_tied, ratio_of_medians
from weighbridge.measure.verdict import Status, ValidityReason
from weighbridge.quality.metrics.prepared import units_of
from weighbridge.quality.metrics.registry import find_metric
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.scoring.drops import drops_of
from weighbridge.quality.scoring.measuring import ScoreSettings
from weighbridge.statistics.order_statistics import Interval
from weighbridge.statistics.ranks import signed_rank_interval

NS_PER_MS = 1e6


def median_latency(blocks: Blocks, name: str, *, confidence: float) -> Interval | None:
    """Return a model's median latency in milliseconds over the rounds; None with too few rounds.

    Each round gives one median; the value is their Hodges-Lehmann estimate on the log scale. `n` counts rounds.
    """
    medians = blocks.medians_ns(name)
    log_interval = signed_rank_interval(np.log(medians[medians > 0] / NS_PER_MS), confidence)
    if log_interval is None:
        return None
    value, lower, upper = (math.exp(log) for log in (log_interval.value, log_interval.lower, log_interval.upper))
    return Interval(value, lower, upper, confidence, log_interval.n, method="signed ranks of the rounds' medians")


def compare_speed(
    blocks: Blocks, baseline: str, name: str, *, floor: float | None, confidence: float
) -> dict[str, Any]:
    """Return `answer` (baseline, faster, slower, tied or unknown) and `speed_up` over the baseline, or None."""
    if name == baseline:
        return {"answer": "baseline", "speed_up": None}
    ratio = ratio_of_medians(blocks, baseline, name, confidence=confidence)
    if ratio is None or floor is None:
        return {"answer": "unknown", "speed_up": None}
    tied = is_tied(ratio, floor)
    answer = "tied" if tied else "faster" if ratio.value > 1 else "slower"
    return {"answer": answer, "speed_up": {**dataclasses.asdict(ratio), "is_tied": tied}}


def ranks_of(blocks: Blocks, names: Sequence[str], *, floor: float | None, confidence: float) -> list[list[str]]:
    """Return the models in ranks, fastest first; a model tied with the first of a rank belongs to it.

    Without a noise floor, all models are in one rank. Models that never answered are omitted.
    """
    answering = [name for name in names if np.isfinite(blocks.medians_ns(name)).any()]
    if floor is None:
        return [answering]
    ranks: list[list[str]] = []
    for name in sorted(answering, key=lambda model: float(np.nanmedian(blocks.medians_ns(model)))):
        ratio = ratio_of_medians(blocks, name, ranks[-1][0], confidence=confidence) if ranks else None
        if ranks and (ratio is None or is_tied(ratio, floor)):
            ranks[-1].append(name)
        else:
            ranks.append([name])
    return ranks


def quality_drops(
    truth: NDArray[Any],
    baseline: NDArray[Any],
    variant: NDArray[Any],
    *,
    margin: float,
    confidence: float,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return paired drops: accuracy and macro-F1 for classes, or mean absolute error for numbers; above 0 is worse.

    Each drop is compared with the margin. All arrays have shape (rows,).
    """
    is_number = np.issubdtype(truth.dtype, np.floating)
    metrics = [find_metric(name) for name in (("mae",) if is_number else ("accuracy", "f1_macro"))]
    own, other = (Rows({"truth": truth, "prediction": answers}) for answers in (variant, baseline))
    score = ScoreSettings(confidence=confidence, resamples=resamples, seed=seed)
    units = units_of(len(truth), seed=seed)
    margins = {metric.name: margin for metric in metrics}
    return drops_of(metrics, (own, other), units, score, margins=margins, confidence=confidence)


def comparison_reasons(blocks: Blocks, floor: float | None) -> Iterator[ValidityReason]:
    """Yield the verdict reasons that come from the rounds."""
    if floor is None:
        text = "Too few complete rounds to separate the models from noise; use more rounds or more time."
        yield ValidityReason("samples.too_few", Status.INVALID, text)
    elif not blocks.is_complete:
        text = "The comparison ended before all rounds were run; it uses the completed rounds."
        yield ValidityReason("samples.stopped_early", Status.INDICATIVE, text)
    for name, failures in blocks.failures.items():
        if failures:
            kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(failures.items()))
            yield ValidityReason("errors.inference", Status.INDICATIVE, f"Inferences of {name} failed ({kinds}).")
    if floor is not None and floor > 0.1:
        text = (
            f"A model differs from itself by up to {floor:.0%} on this machine; smaller differences cannot be detected."
        )
        yield ValidityReason("stability.noise_floor", Status.INDICATIVE, text)
