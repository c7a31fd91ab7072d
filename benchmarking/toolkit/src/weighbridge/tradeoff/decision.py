"""The decision: which candidate to take under given limits, by four simple rules.

1. Candidates that failed, have an invalid measurement or miss a limit are excluded.
2. Of the others, the best in quality and all within the margin stay.
3. Of these the fastest leads (p95 latency), and with it all that cannot be told apart from it: intervals overlap, or
   the ratio lies within the noise floor of the machine.
4. Of these the smallest wins. Who is as small as it is tied with it.

The choice is sure if it is the same for all values within the intervals at the limits.
"""

import dataclasses
from collections.abc import Callable, Sequence
from enum import StrEnum

from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.candidates import Candidate, Candidates, Estimate, VariantAnswer
from weighbridge.tradeoff.requirements import LimitReading, Requirements

LATENCY, SIZE = "latency_p95_ms", "model_size_mb"
# Files that differ by less than 1 % have the same size.
SAME_SIZE = 0.01


class Situation(StrEnum):
    """The kind of decision."""

    CLEAR = "clear"
    TIED = "tied"
    AMBIGUOUS = "ambiguous"
    SINGLE = "single"
    NONE = "none"


@dataclasses.dataclass(frozen=True)
class Race:
    """The candidates left after each rule: usable, within the limits, close in quality, in speed, and the winners."""

    usable: tuple[Candidate, ...]
    within: tuple[Candidate, ...]
    good: tuple[Candidate, ...]
    fast: tuple[Candidate, ...]
    winners: tuple[Candidate, ...]

    @property
    def winner(self) -> Candidate | None:
        """Return the first winner, in the order of the file."""
        return self.winners[0] if self.winners else None


@dataclasses.dataclass(frozen=True)
class VariantDecision:
    """The race at the measured values, the kind of decision, and who else may win within the intervals."""

    race: Race
    situation: Situation
    contenders: tuple[str, ...]

    @property
    def winner(self) -> Candidate | None:
        """Return the candidate to take; None if no candidate meets the limits."""
        return self.race.winner


def decide(choice: Candidates, requirements: Requirements) -> VariantDecision:
    """Decide; deterministic for the same estimates."""
    race = run(choice, requirements)
    others = [run(choice, requirements, reading=reading) for reading in (LimitReading.WORST, LimitReading.BEST)]
    names = [each.winner.name if each.winner else None for each in (race, *others)]
    contenders = tuple(dict.fromkeys(name for name in names if name is not None and name != names[0]))
    return VariantDecision(race, _situation(race, is_sure=len(set(names)) == 1), contenders)


def run(choice: Candidates, requirements: Requirements, *, reading: LimitReading = LimitReading.VALUE) -> Race:
    """Apply the four rules, with the limits in the given reading."""
    usable = tuple(candidate for candidate in choice.candidates if is_usable(candidate))
    within = tuple(candidate for candidate in usable if not any(requirements.unmet(candidate, reading)))
    sign, margin = requirements.axis.sign, requirements.margin
    good = _closest(
        within,
        requirements.quality,
        lambda estimate, best: sign * estimate.value <= sign * best.value + margin,
        sign=sign,
    )
    floor = choice.noise_floor or 0.0
    fast = _closest(good, LATENCY, lambda estimate, best: _is_tied(estimate, best, floor))
    winners = _closest(fast, SIZE, lambda estimate, best: estimate.value <= best.value * (1 + SAME_SIZE))
    return Race(usable, within, good, fast, winners)


def is_usable(candidate: Candidate) -> bool:
    """Return whether a candidate was created and its measurement is not invalid."""
    is_valid = candidate.measurement is None or candidate.measurement.status is not Status.INVALID
    return is_valid and candidate.verdict.answer is not VariantAnswer.FAILED


def _closest(
    candidates: Sequence[Candidate], metric: str, is_close: Callable[[Estimate, Estimate], bool], *, sign: int = 1
) -> tuple[Candidate, ...]:
    """Return the candidates close to the best in a metric, the best first; all candidates if none has the metric."""
    having = [candidate for candidate in candidates if metric in candidate.metrics]
    if not having:
        return tuple(candidates)
    ordered = sorted(having, key=lambda candidate: sign * candidate.metrics[metric].value)
    best = ordered[0].metrics[metric]
    return tuple(candidate for candidate in ordered if is_close(candidate.metrics[metric], best))


def _is_tied(estimate: Estimate, best: Estimate, floor: float) -> bool:
    if estimate.value <= best.value * (1 + floor):
        return True
    return estimate.lower is not None and best.upper is not None and estimate.lower <= best.upper


def _situation(race: Race, *, is_sure: bool) -> Situation:
    if not race.winners:
        return Situation.NONE
    if len(race.usable) == 1:
        return Situation.SINGLE
    if not is_sure:
        return Situation.AMBIGUOUS
    return Situation.TIED if len(race.winners) > 1 else Situation.CLEAR
