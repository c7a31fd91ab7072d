"""The difference of two models on the same prompts, its verdict against a margin, and a rule to stop early."""

import dataclasses
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.metrics import interval_metric
from weighbridge.quality.experiment.changes import Change, anytime_interval
from weighbridge.quality.paired import score_bounds
from weighbridge.quality.prompts.attempts import PromptValues
from weighbridge.statistics.clustered import FEW_CLUSTERS, ClusterSums, clustered_interval, wild_interval
from weighbridge.statistics.order_statistics import Interval

SCORE = "Tango's score"
# The sequence is asymptotic: before, its error is not held.
FIRST_LOOK = 50


class PairedAnswer(StrEnum):
    """Which model is better, by the interval of the difference."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    CANNOT_TELL = "cannot_tell"


def answer_of(lower: float, upper: float, margin: float | None) -> PairedAnswer:
    """Return equivalent if the interval lies within the margin, else better or worse if it leaves out zero.

    A difference that is shown, but is smaller than the margin, is equivalent.
    """
    if margin is not None and -margin < lower and upper < margin:
        return PairedAnswer.EQUIVALENT
    if lower > 0:
        return PairedAnswer.BETTER
    return PairedAnswer.WORSE if upper < 0 else PairedAnswer.CANNOT_TELL


@dataclasses.dataclass(frozen=True)
class Paired:
    """The differences (model minus baseline) of the prompts that both were asked, and those of one alone."""

    values: PromptValues
    unpaired: int


def paired_difference(model: PromptValues, baseline: PromptValues) -> Paired:
    """Pair the scores of two models by prompt, each averaged over attempts; raise Invalid for fewer than two pairs."""
    other = {prompt.id: value for prompt, value in zip(baseline.prompts, baseline.values, strict=True)}
    both = [place for place, prompt in enumerate(model.prompts) if prompt.id in other]
    if len(both) < 2:
        text = "The two files of answers have fewer than two scored prompts in common."
        raise Invalid(text, code="answers_pairs", field="baseline")
    prompts = tuple(model.prompts[place] for place in both)
    values = np.array([model.values[place] - other[model.prompts[place].id] for place in both])
    return Paired(PromptValues(prompts, values), len(model.prompts) + len(baseline.prompts) - 2 * len(both))


def difference_interval(values: PromptValues, confidence: float, *, seed: int) -> Interval | None:
    """Return the mean difference with its interval; None for a single cluster.

    Without clusters and with one attempt each, it is Tango's score interval; with 30 clusters or more, Student's t of
    the cluster-robust error; with fewer, a wild cluster bootstrap.
    """
    sums = values.sums
    is_certain = bool((np.abs(sums.sums - sums.sums.mean()) < 1e-12).all()) and sums.clusters > 1
    if np.isin(values.values, (-1.0, 0.0, 1.0)).all() and (values.clusters is None or is_certain):
        return _score_interval(values.values, sums, confidence)
    if sums.clusters < FEW_CLUSTERS:
        return wild_interval(sums, confidence, seed=seed)
    return clustered_interval(sums, confidence)


def _score_interval(values: NDArray[np.float64], sums: ClusterSums, confidence: float) -> Interval:
    """Return Tango's interval; clusters that do not differ count as one prompt each."""
    scale = sums.clusters / sums.n
    worse, better = (float((values * sign > 0).sum()) * scale for sign in (-1, 1))
    lower, upper = score_bounds(better, worse, sums.clusters, confidence=confidence)
    return Interval(sums.mean, lower, upper, confidence, sums.n, SCORE)


def difference_entry(
    paired: Paired, interval: Interval | None, margin: float | None, planned: int | None
) -> dict[str, Any]:
    """Return the difference as a part of the document: counts, interval, answer, and the rule to stop."""
    values, sums = paired.values.values, paired.values.sums
    return {
        "prompts": sums.n,
        "clusters": sums.clusters if paired.values.clusters is not None else None,
        "unpaired": paired.unpaired,
        "disagreement": float((values != 0).mean()),
        "difference": interval_metric(interval, "ratio") if interval is not None else None,
        "margin": margin,
        "answer": (
            answer_of(interval.lower, interval.upper, margin) if interval is not None else PairedAnswer.CANNOT_TELL
        ).value,
        "stopping": stopping(sums, interval.confidence, margin, planned) if interval and planned else None,
    }


def stopping(sums: ClusterSums, confidence: float, margin: float | None, planned: int) -> Mapping[str, Any]:
    """Return whether more prompts would not change the choice, however often somebody looks.

    The interval is an asymptotic confidence sequence (Waudby-Smith and others 2024) of the clusters, tightest at
    `planned` of them (prompts without clusters). It says stop once it shows better, worse or equivalent; the chance
    that it ever shows a wrong one is 1 - confidence. There is no answer before 50 clusters.
    """
    if sums.clusters < FIRST_LOOK:
        return {"planned": planned, "looks_from": FIRST_LOOK, "interval": None, "stop": False, "answer": None}
    change = Change(sums.mean, sums.error * math.sqrt(sums.clusters), sums.clusters)
    interval = anytime_interval(change, confidence, planned)
    answer = answer_of(interval.lower, interval.upper, margin)
    return {
        "planned": planned,
        "looks_from": FIRST_LOOK,
        "interval": interval_metric(interval, "ratio"),
        "stop": answer is not PairedAnswer.CANNOT_TELL,
        "answer": answer.value,
    }


def check_margin(margin: float | None, *, has_baseline: bool) -> None:
    """Raise Invalid for a margin without a baseline, or one that is not between 0 and 1."""
    if margin is not None and not has_baseline:
        raise Invalid("A margin is for a comparison; name the other answers with --baseline.", field="margin")
    if margin is not None and not 0 < margin < 1:
        raise Invalid(
            "The margin must be between 0 and 1: the difference of pass rates that does not matter.", field="margin"
        )
