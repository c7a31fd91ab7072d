"""Ranking of models after interleaved rounds: faster, slower or tied, and loss of quality."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.blocks import Blocks, is_tied, ratio_of_medians
from weighbridge.measure.verdict import Status, ValidityReason
from weighbridge.quality.classification import macro_scores
from weighbridge.quality.paired import QualityDrop, accuracy_drop, is_non_inferior, metric_drop
from weighbridge.quality.scores import confusion_of
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
    drop_of = functools.partial(
        metric_drop, truth, baseline, variant, resamples=resamples, seed=seed, confidence=confidence
    )
    if np.issubdtype(truth.dtype, np.floating):
        return [_document("mae", drop_of(metric=_negative_error), margin)]
    classes = 1 + int(max(truth.max(), baseline.max(), variant.max()))

    def macro_f1(real: NDArray[Any], predicted: NDArray[Any]) -> float:
        return float(macro_scores(confusion_of(real, predicted, classes=classes))[2])

    return [
        _document("accuracy", accuracy_drop(truth, baseline, variant, confidence=confidence), margin),
        _document("f1_macro", drop_of(metric=macro_f1), margin),
    ]


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


def _negative_error(truth: NDArray[Any], answers: NDArray[Any]) -> float:
    return -float(np.mean(np.abs(answers - truth)))


def _document(metric: str, drop: QualityDrop, margin: float) -> dict[str, Any]:
    judged = {"metric": metric, "margin": margin, "is_non_inferior": is_non_inferior(drop, margin)}
    return {**judged, "b": None, "c": None, "p_value": None, **dataclasses.asdict(drop)}
