"""The verdict on an alternative: equivalent and cheaper, cheaper but worse, not cheaper, or it cannot be told."""

from collections.abc import Iterator

from weighbridge.quality.prompts.difference import PairedAnswer, answer_of
from weighbridge.statistics.order_statistics import Interval
from weighbridge.tradeoff.candidates import CostSaving, QualityDrop, VariantAnswer, VariantVerdict, VerdictReason

PASS_RATE = "pass_rate"  # noqa: S105 -- a metric
SAME_ANSWERS = "quality.same"
"""The reason of an alternative that shares the answers of the baseline."""
KEPT = (PairedAnswer.EQUIVALENT, PairedAnswer.BETTER)
WORDS = {
    PairedAnswer.EQUIVALENT: "equivalent within the margin",
    PairedAnswer.BETTER: "better than the baseline",
    PairedAnswer.WORSE: "worse than the baseline, or not shown to be within the margin",
    PairedAnswer.CANNOT_TELL: "neither a loss beyond the margin nor equivalence is shown; more prompts would tell",
}


def quality_drop(interval: Interval, margin: float) -> QualityDrop:
    """Return the loss of the pass rate from the interval of the difference, alternative minus baseline."""
    return QualityDrop(
        metric=PASS_RATE,
        # Zero has no sign.
        value=0.0 - interval.value,
        lower=0.0 - interval.upper,
        upper=0.0 - interval.lower,
        confidence=interval.confidence,
        n=interval.n,
        margin=margin,
        is_non_inferior=-interval.lower < margin,
    )


def paired_answer(drop: QualityDrop) -> PairedAnswer:
    """Return how an alternative compares with the baseline."""
    return answer_of(-drop.upper, -drop.lower, drop.margin)


def answer_on(drop: QualityDrop, saving: CostSaving | None) -> VariantAnswer:
    """Return the answer that follows from the loss of quality and the saving, by their whole intervals."""
    if saving is None:
        return VariantAnswer.CANNOT_TELL
    if saving.upper <= 0:
        return VariantAnswer.NO_GAIN
    answer = paired_answer(drop)
    if saving.lower <= 0 or answer is PairedAnswer.CANNOT_TELL:
        return VariantAnswer.CANNOT_TELL
    return VariantAnswer.WORTH_IT if answer in KEPT else VariantAnswer.COSTS_QUALITY


def verdict_on(
    drop: QualityDrop, saving: CostSaving | None, notes: tuple[VerdictReason, ...] = (), *, is_sharing: bool = False
) -> VariantVerdict:
    """Return the answer with its reasons; an alternative that shares the answers of the baseline loses nothing."""
    quality = () if is_sharing else (_quality(drop),)
    return VariantVerdict(answer_on(drop, saving), (*notes, *quality, *_cost(saving)))


def _quality(drop: QualityDrop) -> VerdictReason:
    lost = f"{'Loses' if drop.value >= 0 else 'Gains'} {abs(drop.value) * 100:.2f} points of the pass rate"
    between = f"{drop.confidence:.0%} interval of the loss {drop.lower * 100:.2f} to {drop.upper * 100:.2f}"
    answer = paired_answer(drop)
    text = f"{lost} ({between}, {drop.n:,} prompts; margin {drop.margin * 100:.2f}): {WORDS[answer]}."
    return VerdictReason(f"quality.{answer.value}", text)


def _cost(saving: CostSaving | None) -> Iterator[VerdictReason]:
    if saving is None:
        text = "No answer passes and no person answers instead, so that an accepted answer has no cost."
        yield VerdictReason("cost.unknown", text)
        return
    state, words = "unclear", "whether it is cheaper cannot be told"
    if saving.lower > 0:
        state, words = "cheaper", "it is cheaper"
    elif saving.upper <= 0:
        state, words = "not_cheaper", "it is not cheaper"
    text = (
        f"An accepted answer costs {abs(saving.value):.3g} USD {'less' if saving.value >= 0 else 'more'} "
        f"({saving.confidence:.0%} interval of the saving {saving.lower:.3g} to {saving.upper:.3g} USD): {words}."
    )
    yield VerdictReason(f"cost.{state}", text)
