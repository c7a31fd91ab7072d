"""The `weighbridge.answers/1` document: the quality of answers of a language model to the prompts of a file."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.verdict import Status, ValidityReason, Verdict
from weighbridge.quality.prompts.answer_file import AnswerFile
from weighbridge.quality.prompts.attempts import Attempts, PromptValues, attempts_of, passes
from weighbridge.quality.prompts.difference import (
    PairedAnswer,
    answer_of,
    check_margin,
    difference_entry,
    difference_interval,
    paired_difference,
)
from weighbridge.quality.prompts.judge_file import JudgmentFile
from weighbridge.quality.prompts.judging import (
    Calibration,
    Verdicts,
    judge_entry,
    judge_reasons,
    paired_corrected,
    verdicts_of,
)
from weighbridge.quality.prompts.outcomes import Outcome, Scoring
from weighbridge.quality.prompts.prompt_file import PromptFile
from weighbridge.quality.prompts.rates import outcome_counts, rate_metrics, sliced
from weighbridge.quality.prompts.repeats import repeats_of
from weighbridge.statistics.clustered import FEW_CLUSTERS

SCHEMA = "weighbridge.answers/1"
# Beyond this share of truncated answers, of errors, or of prompts without an answer, a figure is doubtful.
MAX_LOST = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromptScoreSettings:
    """The level of intervals, the margin and plan of a comparison, the slices, and the seed of the bootstrap."""

    confidence: float = 0.95
    margin: float | None = None
    planned: int | None = None
    slices: tuple[str, ...] = ()
    min_prompts: int = 30
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Raise Invalid for numbers out of range."""
        if not 0 < self.confidence < 1:
            raise Invalid("The confidence must be between 0 and 1.", field="confidence")
        for name, value in (("planned", self.planned), ("min_prompts", self.min_prompts)):
            if value is not None and value < 1:
                raise Invalid(f"{name} must be at least 1.", field=name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelAnswers:
    """The answers of one model, and, if a judge judged them, its verdicts and the labels of people."""

    answers: AnswerFile
    verdicts: JudgmentFile | None = None
    labels: JudgmentFile | None = None

    def __post_init__(self) -> None:
        """Raise Invalid for labels without verdicts."""
        if self.labels is not None and self.verdicts is None:
            raise Invalid("Labels of people calibrate a judge; give its verdicts too (--judge).", field="labels")


def answers_document(
    prompts: PromptFile,
    model: ModelAnswers,
    baseline: ModelAnswers | None = None,
    *,
    refusals: Sequence[str] = (),
    settings: PromptScoreSettings,
) -> dict[str, Any]:
    """Score answers and return a `weighbridge.answers/1` mapping; raise Invalid for what cannot be scored."""
    check_margin(settings.margin, has_baseline=baseline is not None)
    scoring = Scoring(prompts.prompts, refusals)
    own = scored_model(prompts, model, scoring)
    other = None if baseline is None else scored_model(prompts, baseline, scoring)
    attempts, passed, judged = own.attempts, own.passed, own.judged
    judge = judge_entry(judged, settings.confidence, seed=settings.seed) if judged is not None else None
    metrics = rate_metrics(attempts, passed, settings.confidence)
    missing = _judge_metrics(metrics, judge)
    comparison = None if other is None else _comparison(own, other, settings)
    reasons = (*doubts_of(own), *(() if other is None else doubts_of_baseline(other)), *_unpaired(comparison))
    return {
        "schema": SCHEMA,
        "rows": len(attempts.by_prompt),
        "answers_scored": len(attempts.all),
        "clusters": passed.sums.clusters if passed.prompts and passed.clusters is not None else None,
        "scorers": {"digest": scoring.digest, "kinds": scoring.kinds, "refusal_patterns": len(refusals)},
        "settings": dataclasses.asdict(settings),
        "outcomes": outcome_counts(attempts),
        "unsafe": sum(each.is_unsafe for each in attempts.all),
        "metrics": metrics,
        "missing": [{"metric": name, "message": text} for name, text in missing.items()],
        **sliced(passed, settings.slices, settings.confidence, settings.min_prompts),
        "repeats": repeats_of(attempts, scoring, settings.confidence),
        "judge": judge,
        "comparison": comparison,
        "verdict": Verdict(reasons).as_document(),
    }


@dataclasses.dataclass(frozen=True)
class ScoredModel:
    """The scored answers of one model, the share of passed attempts by prompt, and the verdicts of the judge."""

    attempts: Attempts
    passed: PromptValues
    judged: Verdicts | None


def scored_model(prompts: PromptFile, side: ModelAnswers, scoring: Scoring) -> ScoredModel:
    """Score the answers of one model; raise Invalid if none of its answers has a scorer or a verdict."""
    attempts = attempts_of(prompts.prompts, side.answers.answers, scoring)
    passed = passes(attempts, scoring)
    judged = None if side.verdicts is None else verdicts_of(attempts, side.verdicts, side.labels)
    if not passed.prompts and judged is None:
        text = "No answered prompt has a scorer (expected), and there are no verdicts of a judge (--judge)."
        raise Invalid(text, code="answers_unscored", field="prompts")
    return ScoredModel(attempts, passed, judged)


def _judge_metrics(metrics: dict[str, Any], judge: dict[str, Any] | None) -> dict[str, str]:
    """Add what the judge measures to the metrics, and return the reasons of those that are missing.

    The corrected pass rate of the judge is the pass rate only if no prompt has a scorer.
    """
    if judge is None:
        return {}
    is_calibrated = judge["calibration"] == Calibration.CALIBRATED
    why = "" if is_calibrated else "The judge is not calibrated by 100 labels of people, or by labels of another judge."
    found = {"judge_agreement": judge["agreement"] if is_calibrated else None}
    if "pass_rate" not in metrics:
        found["pass_rate"] = judge["corrected"]
        if judge["corrected"] is None:
            found["pass_rate_uncorrected"] = judge["uncorrected"]
    metrics |= {name: metric for name, metric in found.items() if metric is not None}
    return {name: why or "There are too few labels." for name, metric in found.items() if metric is None}


def _comparison(model: ScoredModel, baseline: ScoredModel, settings: PromptScoreSettings) -> dict[str, Any]:
    """Return the difference of the model from the baseline, by scorers and by the judge where both have one."""
    entry: dict[str, Any] = {"scorers": None, "judge": None}
    if model.passed.prompts and baseline.passed.prompts:
        paired = paired_difference(model.passed, baseline.passed)
        interval = difference_interval(paired.values, settings.confidence, seed=settings.seed)
        entry["scorers"] = difference_entry(paired, interval, settings.margin, settings.planned)
    if model.judged is not None and baseline.judged is not None:
        found = paired_corrected(model.judged, baseline.judged, settings.confidence, seed=settings.seed)
        answer = answer_of(found["lower"], found["upper"], settings.margin).value if found else None
        entry["judge"] = {
            "difference": found,
            "margin": settings.margin,
            "answer": answer or PairedAnswer.CANNOT_TELL.value,
            "baseline_calibration": baseline.judged.calibration.value,
        }
    return entry


def doubts_of(scored: ScoredModel) -> Iterator[ValidityReason]:
    """Yield why the figures of one model are doubtful."""
    attempts, passed, judged = scored.attempts, scored.passed, scored.judged
    count = passed.sums.clusters if passed.prompts else 0
    if passed.prompts and count < FEW_CLUSTERS:
        what = "prompts" if passed.clusters is None else "clusters of prompts"
        text = f"There are only {count} {what}: intervals of fewer than {FEW_CLUSTERS} are not reliable."
        yield ValidityReason("prompts.few", Status.INDICATIVE, text)
    yield from _lost(attempts)
    if judged is not None:
        yield from judge_reasons(judged.calibration, len(judged.labels), judged.unjudged)


def doubts_of_baseline(baseline: ScoredModel) -> Iterator[ValidityReason]:
    """Yield why a comparison is doubtful: because the figures of the baseline are."""
    for reason in doubts_of(baseline):
        yield ValidityReason(f"baseline.{reason.code}", reason.status, f"Of the baseline: {reason.message}")


def _lost(attempts: Attempts) -> Iterator[ValidityReason]:
    """Yield a reason for answers that are missing, cut off, errors, or were too slow to match."""
    if attempts.missing:
        asked = len(attempts.missing) + len(attempts.by_prompt)
        is_much = len(attempts.missing) > MAX_LOST * asked
        text = f"{len(attempts.missing):,} of {asked:,} prompts have no answer, and no part in the rates."
        yield ValidityReason("answers.missing", Status.INVALID if is_much else Status.INDICATIVE, text)
    answers = attempts.all
    # A limit that the prompt states is part of the task.
    cut = sum(each.outcome is Outcome.TRUNCATED and each.prompt.max_tokens is None for each in answers)
    if cut > MAX_LOST * len(answers):
        text = f"{cut:,} of {len(answers):,} answers were cut off at a limit of tokens that no prompt states. Raise it."
        yield ValidityReason("output.truncated", Status.INVALID, text)
    errors = sum(each.outcome is Outcome.ERROR for each in answers)
    if errors > MAX_LOST * len(answers):
        text = f"{errors:,} of {len(answers):,} answers are errors, which count as not passed."
        yield ValidityReason("answers.errors", Status.INDICATIVE, text)
    slow = sum(each.is_slow for each in answers)
    if slow:
        text = f"A pattern reached its time limit on {slow:,} answers, which count as not passed. Simplify the pattern."
        yield ValidityReason("scorer.slow", Status.INDICATIVE, text)


def _unpaired(comparison: dict[str, Any] | None) -> Iterator[ValidityReason]:
    scored = (comparison or {}).get("scorers")
    if scored and scored["unpaired"]:
        text = f"{scored['unpaired']:,} prompts were scored for one of the two models alone, and are not compared."
        yield ValidityReason("comparison.unpaired", Status.INDICATIVE, text)
