"""Worth: what a variant is worth against its baseline, in one answer and in plain words.

Slower comes first, then what it costs in quality, then what it gains. A gain in speed must lie outside the noise floor,
the whole interval of it; a loss of quality must be ruled out down to the margin, not merely unseen.
"""

import dataclasses

from weighbridge.optimization.comparison import VariantComparison
from weighbridge.optimization.operators import Culprit
from weighbridge.tradeoff.candidates import QualityDrop, SpeedUp, VariantAnswer, VariantVerdict, VerdictReason

# A smaller saving than a tenth of the file does not pay for a second model to look after.
LEAST_SIZE_SAVED = 0.10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Savings:
    """What a variant saves, as shares of the baseline (0.75: a quarter is left; below 0 it needs more);
    None: unknown.
    """

    size_ratio: float | None
    memory_ratio: float | None


def judge(compared: VariantComparison, *, savings: Savings, culprit: Culprit | None) -> VariantVerdict:
    """Return the answer with its reasons; `culprit` is named where the variant is slower."""
    speed, drop = compared.speed_up, compared.quality_drop
    is_slower = speed is not None and not speed.is_tied and speed.value < 1
    is_faster = speed is not None and not speed.is_tied and speed.value > 1
    is_smaller = savings.size_ratio is not None and savings.size_ratio >= LEAST_SIZE_SAVED
    reasons = [_speed(speed, compared.noise_floor), _quality(drop), *_size(savings)]
    if is_slower and culprit is not None:
        reasons.insert(1, VerdictReason("speed.operator", culprit.words()))
    if is_slower:
        return VariantVerdict(VariantAnswer.SLOWER, tuple(reasons), culprit.operator if culprit else None)
    if not drop.is_non_inferior:
        return VariantVerdict(VariantAnswer.COSTS_QUALITY, tuple(reasons))
    return VariantVerdict(VariantAnswer.WORTH_IT if is_faster or is_smaller else VariantAnswer.NO_GAIN, tuple(reasons))


def _speed(speed: SpeedUp | None, floor: float | None) -> VerdictReason:
    if speed is None or floor is None:
        return VerdictReason("speed.unknown", "Too few rounds were measured to compare its speed.")
    if speed.is_tied:
        text = (
            f"Speed cannot be told from the baseline's: {speed.value:.2f} times, {_between(speed)}, and this machine "
            "sees "
            f"{floor:.1%} between the baseline and itself."
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
        f"({drop.confidence:.0%} "
        f"interval of the loss {_points(drop.lower)} to {_points(drop.upper)}, {drop.n:,} rows)"
    )
    margin = f"the margin of {_points(drop.margin)} points"
    if drop.is_non_inferior:
        return VerdictReason("quality.kept", f"{lost}: within {margin}.")
    if drop.lower >= drop.margin:
        return VerdictReason("quality.lost", f"{lost}: beyond {margin}.")
    text = f"{lost}: a loss beyond {margin} is not ruled out. More test rows would tell."
    return VerdictReason("quality.not_shown", text)


def _points(ratio: float) -> str:
    return f"{ratio * 100:.2f}"


def _size(savings: Savings) -> list[VerdictReason]:
    if savings.size_ratio is None or abs(savings.size_ratio) < 0.01:
        return []
    if savings.size_ratio > 0:
        return [VerdictReason("size.smaller", f"The file is {savings.size_ratio:.0%} smaller.")]
    return [VerdictReason("size.larger", f"The file is {-savings.size_ratio:.0%} larger.")]


def saved(baseline: float | None, variant: float | None) -> float | None:
    """Return the share of the baseline that is saved; None where one of them is unknown or the baseline is nothing."""
    return None if not baseline or variant is None else 1 - variant / baseline
