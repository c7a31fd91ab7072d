"""What a judge is worth: its agreement with people, and the pass rate corrected for its mistakes."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import Invalid
from weighbridge.measure.metrics import interval_metric
from weighbridge.measure.verdict import Status, ValidityReason
from weighbridge.quality.prompts.attempts import NAMED, Attempts
from weighbridge.quality.prompts.judge_file import JudgmentFile, Key
from weighbridge.quality.prompts.outcomes import Scored
from weighbridge.statistics.clustered import cluster_sums, clustered_share
from weighbridge.statistics.order_statistics import Interval, wilson_interval
from weighbridge.statistics.prediction_powered import JudgedSample, ppi_mean

MIN_LABELS = 100
MIN_TO_CORRECT = 10
PASSES = 0.5


class Calibration(StrEnum):
    """What the labels of people say about a judge."""

    CALIBRATED = "calibrated"
    FEW_LABELS = "few_labels"
    NO_LABELS = "no_labels"
    JUDGE_CHANGED = "judge_changed"


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """Verdicts on answers, of the labelled ones first: shape (labelled + others,); `labels` of shape (labelled,).

    `keys` and `clusters` belong to each verdict; a cluster holds all attempts of its prompts. `calibration` is what the
    labels are good for; without use, all verdicts are among the others.
    """

    keys: tuple[Key, ...]
    verdicts: NDArray[np.float64]
    labels: NDArray[np.float64]
    clusters: tuple[str, ...]
    calibration: Calibration
    judge: str
    unjudged: int

    def judged(self) -> JudgedSample:
        """Return what the corrected mean is computed from."""
        n = len(self.labels)
        return JudgedSample(self.labels, self.verdicts[:n], self.verdicts[n:], self.clusters)


def verdicts_of(attempts: Attempts, judge: JudgmentFile, labels: JudgmentFile | None) -> Verdicts:
    """Match verdicts and labels to answers; raise Invalid for unknown answers and for texts that have changed."""
    scored = {(each.answer.id, each.answer.attempt): each for each in attempts.all}
    for judgments, what in ((judge, "judge"), *(((labels, "labels"),) if labels else ())):
        _check(judgments, scored, what)
    state = _calibration(judge, labels)
    usable = {} if labels is None or state is Calibration.JUDGE_CHANGED else labels.judgments
    labelled = [key for key in judge.judgments if key in usable]
    keys = (*labelled, *(key for key in judge.judgments if key not in usable))
    return Verdicts(
        keys=keys,
        verdicts=np.array([judge.judgments[key].value for key in keys]),
        labels=np.array([usable[key].value for key in labelled]),
        clusters=tuple(_cluster(scored[key]) for key in keys),
        calibration=enough_labels(len(labelled)) if state is Calibration.CALIBRATED else state,
        judge=judge.judge,
        unjudged=len(scored) - len(keys),
    )


def _cluster(scored: Scored) -> str:
    return f"cluster {scored.prompt.cluster}" if scored.prompt.cluster else f"prompt {scored.prompt.id}"


def _check(judgments: JudgmentFile, scored: Mapping[Key, Scored], field: str) -> None:
    unknown = sorted(judgments.judgments.keys() - scored.keys())
    if unknown:
        names = ", ".join(f"{name} (attempt {attempt})" for name, attempt in unknown[:NAMED])
        text = f"{len(unknown):,} answers that were judged are not in the file of answers: {names}."
        raise Invalid(text, code="judge_unknown", field=field)
    for key, each in judgments.judgments.items():
        if each.answer and each.answer != text_digest(scored[key].answer.text):
            text = f"The answer to {key[0]} (attempt {key[1]}) has changed since it was judged; judge it again."
            raise Invalid(text, code="judge_stale", field=field)


def text_digest(text: str) -> str:
    """Return the digest of the text of an answer, as files of judges state it."""
    return DIGEST_PREFIX + hashlib.sha256(text.encode()).hexdigest()


def _calibration(judge: JudgmentFile, labels: JudgmentFile | None) -> Calibration:
    if labels is None:
        return Calibration.NO_LABELS
    return Calibration.JUDGE_CHANGED if labels.judge not in ("", judge.judge) else Calibration.CALIBRATED


def enough_labels(labels: int) -> Calibration:
    """Return how far so many labels of the judge in use calibrate it."""
    if labels >= MIN_LABELS:
        return Calibration.CALIBRATED
    return Calibration.FEW_LABELS if labels >= MIN_TO_CORRECT else Calibration.NO_LABELS


def corrected_of(judged: JudgedSample, confidence: float, *, seed: int, is_share: bool = True) -> dict[str, Any] | None:
    """Return the corrected mean with the judge's weight `lam`; None for fewer than ten labels or two clusters."""
    if len(judged.human) < MIN_TO_CORRECT or len(np.unique(judged.groups)) < 2:
        return None
    corrected = ppi_mean(judged, confidence, seed=seed, is_share=is_share)
    return {**interval_metric(corrected.interval, "ratio"), "lam": corrected.lam}


def judge_entry(verdicts: Verdicts, confidence: float, *, seed: int) -> dict[str, Any]:
    """Return what the document says of the judge; uncorrected figures are named as such."""
    n = len(verdicts.labels)
    stated, right = verdicts.verdicts[:n] >= PASSES, verdicts.labels >= PASSES
    labelled = verdicts.clusters[:n]
    return {
        "judge": verdicts.judge,
        "calibration": verdicts.calibration.value,
        "verdicts": len(verdicts.verdicts),
        "labels": n,
        "unjudged": verdicts.unjudged,
        "uncorrected": _metric(_share(verdicts.verdicts, verdicts.clusters, confidence)),
        "corrected": corrected_of(verdicts.judged(), confidence, seed=seed),
        "people": _metric(_share(verdicts.labels, labelled, confidence)),
        "agreement": _metric(_share((stated == right).astype(np.float64), labelled, confidence)),
        "sensitivity": _metric(wilson_interval(int((stated & right).sum()), int(right.sum()), confidence)),
        "specificity": _metric(wilson_interval(int((~stated & ~right).sum()), int((~right).sum()), confidence)),
    }


def paired_corrected(model: Verdicts, baseline: Verdicts, confidence: float, *, seed: int) -> dict[str, Any] | None:
    """Return the corrected difference of two models that one judge judged on the same prompts; None with few labels.

    Raises Invalid for two judges.
    """
    if model.judge != baseline.judge:
        text = "Both files of answers must have the verdicts of the same judge; two judges make different mistakes."
        raise Invalid(text, code="judge_mixed", field="baseline_judge")
    own, other = _by_key(model), _by_key(baseline)
    both = [key for key in own if key in other]
    labelled = [key for key in both if own[key][1] is not None and other[key][1] is not None]
    rest = [key for key in both if own[key][1] is None or other[key][1] is None]
    clusters = dict(zip(model.keys, model.clusters, strict=True))
    differences = [[own[key][0] - other[key][0] for key in keys] for keys in (labelled, rest)]
    human = np.array([(own[key][1] or 0.0) - (other[key][1] or 0.0) for key in labelled])
    judged = JudgedSample(
        human, np.array(differences[0]), np.array(differences[1]), [clusters[k] for k in (*labelled, *rest)]
    )
    return corrected_of(judged, confidence, seed=seed, is_share=False)


def _by_key(verdicts: Verdicts) -> dict[Key, tuple[float, float | None]]:
    n = len(verdicts.labels)
    labels = [*verdicts.labels.tolist(), *[None] * (len(verdicts.keys) - n)]
    return {
        key: (verdict, label)
        for key, verdict, label in zip(verdicts.keys, verdicts.verdicts.tolist(), labels, strict=True)
    }


def judge_reasons(calibration: Calibration, labels: int, unjudged: int) -> Iterator[ValidityReason]:
    """Yield why figures of a judge are only indicative."""
    texts = {
        Calibration.NO_LABELS: f"has {labels} labels of people, below {MIN_TO_CORRECT}: its mistakes are not known, "
        "and its pass rate is not corrected for them. Label at least 100 answers, drawn at random",
        Calibration.FEW_LABELS: f"has {labels} labels of people, below {MIN_LABELS}: the correction is not reliable",
        Calibration.JUDGE_CHANGED: "is not the one that the labels calibrate: its pass rate is not corrected. Label "
        "answers for this judge",
    }
    if calibration in texts:
        code = f"judge.{calibration.value}"
        yield ValidityReason(code, Status.INDICATIVE, f"The judge {texts[calibration]}.")
    if unjudged:
        text = f"The judge has no verdict on {unjudged:,} answers, which have no part in its pass rate."
        yield ValidityReason("judge.unjudged", Status.INDICATIVE, text)


def _share(values: NDArray[np.float64], clusters: Sequence[str], confidence: float) -> Interval | None:
    return clustered_share(cluster_sums(values, clusters), confidence) if len(values) else None


def _metric(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval_metric(interval, "ratio")
