"""The verdict on a variant relative to its baseline, with reasons in plain words.

The verdict considers slowness first, then quality loss, then gains. The whole interval of a speed gain must be outside
the noise floor; a quality loss beyond the margin must be ruled out, not just unobserved.
"""

from collections.abc import Mapping
from typing import Any

from weighbridge.optimization.comparison import VariantComparison
from weighbridge.optimization.operators import Culprit
from weighbridge.tradeoff.candidates import QualityDrop, SpeedUp, VariantAnswer, VariantVerdict, VerdictReason

# Savings below a tenth of the file size do not justify maintaining a second model.
LEAST_SIZE_SAVED = 0.10
Metrics = Mapping[str, Mapping[str, Any]]


def judge(compared: VariantComparison, *, size_saved: float | None, culprit: Culprit | None) -> VariantVerdict:
    """Return the verdict with its reasons; `size_saved` is a share of the file, `culprit` explains a slower variant."""
    speed, drop = compared.speed_up, compared.quality_drop
    is_slower = speed is not None and not speed.is_tied and speed.value < 1
    is_faster = speed is not None and not speed.is_tied and speed.value > 1
    is_smaller = size_saved is not None and size_saved >= LEAST_SIZE_SAVED
    reasons = [_speed(speed, compared.noise_floor), _quality(drop), *_size(size_saved)]
    if is_slower and culprit is not None:
        reasons.insert(1, VerdictReason("speed.operator", culprit.words()))
    if is_slower:
        return VariantVerdict(VariantAnswer.SLOWER, tuple(reasons), culprit.operator if culprit else None)
    if not drop.is_non_inferior:
        return VariantVerdict(VariantAnswer.COSTS_QUALITY, tuple(reasons))
    return VariantVerdict(VariantAnswer.WORTH_IT if is_faster or is_smaller else VariantAnswer.NO_GAIN, tuple(reasons))


def _speed(speed: SpeedUp | None, floor: float | None) -> VerdictReason:
    if speed is None or floor is None:
        return VerdictReason("speed.unknown", "Too few rounds were measured to compare the speed.")
    if speed.is_tied:
        text = (
            f"The speed does not differ measurably from the baseline's: {speed.value:.2f} times, {_between(speed)}; "
            f"the noise floor is {floor:.1%}."
        )
        return VerdictReason("speed.tied", text)
    if speed.value > 1:
        return VerdictReason("speed.faster", f"{speed.value:.2f} times as fast as the baseline, {_between(speed)}.")
    text = (
        f"{1 / speed.value:.1f} times as slow as the baseline: it runs at {speed.value:.2f} of its speed, "
        f"{_between(speed)}."
    )
    return VerdictReason("speed.slower", text)


def _between(speed: SpeedUp) -> str:
    return f"{speed.confidence:.0%} interval {speed.lower:.2f} to {speed.upper:.2f}"


def _quality(drop: QualityDrop) -> VerdictReason:
    lost = (
        f"{'Loses' if drop.value >= 0 else 'Gains'} {_points(abs(drop.value))} points of {drop.metric} "
        f"({drop.confidence:.0%} interval of the loss {_points(drop.lower)} to {_points(drop.upper)}, {drop.n:,} rows)"
    )
    margin = f"the margin of {_points(drop.margin)} points"
    if drop.is_non_inferior:
        return VerdictReason("quality.kept", f"{lost}: within {margin}.")
    if drop.lower >= drop.margin:
        return VerdictReason("quality.lost", f"{lost}: beyond {margin}.")
    text = f"{lost}: a loss beyond {margin} is not ruled out. More test rows would clarify."
    return VerdictReason("quality.not_shown", text)


def _points(ratio: float) -> str:
    return f"{ratio * 100:.2f}"


def _size(saved: float | None) -> list[VerdictReason]:
    if saved is None or abs(saved) < 0.01:
        return []
    if saved > 0:
        return [VerdictReason("size.smaller", f"The file is {saved:.0%} smaller.")]
    return [VerdictReason("size.larger", f"The file is {-saved:.0%} larger.")]


def saved_share(name: str, baseline: Metrics, variant: Metrics) -> float | None:
    """Return the saved share of a metric of the baseline (0.75: a quarter is left; negative: more); None if unknown."""
    before, after = (metrics.get(name, {}).get("value") for metrics in (baseline, variant))
    return None if not before or after is None else 1 - after / before
