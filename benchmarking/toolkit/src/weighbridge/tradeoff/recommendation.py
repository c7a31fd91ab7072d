"""The recommendation: the decision in words, which are the same for the same candidates and requirements."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu.same_card import NO_CARD, name_of_card
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.axes import AxisDirection, is_share, quality_metric
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer
from weighbridge.tradeoff.changes import LimitChange, changes, nearest_miss
from weighbridge.tradeoff.charts.words import capital, listed, name_of, with_bounds
from weighbridge.tradeoff.decision import LATENCY, SIZE, Situation, VariantDecision, decide, is_usable
from weighbridge.tradeoff.learning.learning_curve import describe
from weighbridge.tradeoff.requirements import Requirement, Requirements, unit_of

SCHEMA = "weighbridge.recommendation/1"
POINTS = 100
# The costs that a recommendation states, if they were projected.
COSTS = ("total_cost_1y_usd", "cost_per_1k_usd", "tco_usd")


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """One headline and four lists of sentences, with the decision behind them."""

    decision: VariantDecision
    headline: str
    why: tuple[str, ...]
    costs: tuple[str, ...]
    changes: tuple[str, ...]
    not_known: tuple[str, ...]

    @property
    def winner(self) -> str | None:
        """Return the name of the recommended candidate; None if no candidate meets the limits."""
        return self.decision.winner.name if self.decision.winner else None

    def as_document(self) -> dict[str, Any]:
        """Return the recommendation as `weighbridge.recommendation/1`."""
        texts = {key: list(getattr(self, key)) for key in ("why", "costs", "changes", "not_known")}
        return {
            "schema": SCHEMA,
            "situation": self.decision.situation.value,
            "winner": self.winner,
            "tied": [each.name for each in self.decision.race.winners[1:]],
            "contenders": list(self.decision.contenders),
            "headline": self.headline,
            **texts,
        }


def recommend(choice: Candidates, requirements: Requirements) -> Recommendation:
    """Decide and explain the decision in words; raise Invalid if quality is not what the candidates have."""
    _check_quality(choice, requirements.quality)
    decision = decide(choice, requirements)
    return Recommendation(
        decision=decision,
        headline=_headline(choice, requirements, decision),
        why=tuple(_why(choice, requirements, decision)),
        costs=tuple(_costs(decision, requirements)),
        changes=tuple(_change(each, requirements.quality) for each in changes(choice, requirements)),
        not_known=tuple(_not_known(choice, requirements, decision)),
    )


def _check_quality(choice: Candidates, quality: str) -> None:
    """Raise Invalid if no candidate has the quality metric, but it was named, or candidates have others."""
    stated = list(dict.fromkeys(metric for each in choice.candidates for metric in each.metrics))
    others = [metric for metric in stated if quality_metric(metric) is not None]
    if quality in stated or (quality == Requirements().quality and not others):
        return
    has = f"they have {listed(others)}" if others else "no quality was measured"
    text = f"No candidate has the metric {quality!r}: {has}. Name the quality that counts with --quality."
    raise Invalid(text, code="quality", field="quality")


def _headline(choice: Candidates, requirements: Requirements, decision: VariantDecision) -> str:
    if decision.winner is None:
        return "No candidate meets the limits." + _nearest(choice, requirements)
    name, others = decision.winner.name, [each.name for each in decision.race.winners[1:]]
    match decision.situation:
        case Situation.SINGLE:
            return f"{name} meets the limits, but no other candidate could be judged: there was no choice."
        case Situation.TIED:
            return f"Take {name}; {listed(others)} would do as well."
        case Situation.AMBIGUOUS if decision.contenders:
            return (
                f"Probably take {name}; within the intervals, {listed(decision.contenders)} may be the choice instead."
            )
        case Situation.AMBIGUOUS:
            text = f"Probably take {name}; within the intervals, it may miss a limit"
            return f"{text}, and no other candidate keeps them all."
    return f"Take {name}."


def _nearest(choice: Candidates, requirements: Requirements) -> str:
    found = nearest_miss([candidate for candidate in choice.candidates if is_usable(candidate)], requirements)
    if found is None:
        return " None of them has every estimate that the limits ask for."
    nearest, unmet = found
    misses = listed([f"{name_of(limit.metric)} {_value(nearest, limit.metric)} ({limit.words()})" for limit in unmet])
    return f" The nearest is {nearest.name}: {misses}."


def _why(choice: Candidates, requirements: Requirements, decision: VariantDecision) -> Iterator[str]:
    race, quality = decision.race, requirements.quality
    limits = "; ".join(limit.words() for limit in requirements.limits) or "none were set"
    yield f"{len(race.within)} of {len(choice.candidates)} candidates meet the limits ({limits})."
    if decision.winner is None:
        return
    yield from _unsure(decision.winner, requirements.limits)
    best = race.good[0]
    if quality in best.metrics and len(race.within) > 1:
        close = [each.name for each in race.good[1:]]
        more = f" Within the margin of {_amount(quality, requirements.margin)}: {listed(close)}." if close else ""
        yield f"{best.name} is the best of them in {name_of(quality)}: {_value(best, quality)}.{more}"
    yield from _faster(decision, choice.noise_floor)
    if len(race.fast) > len(race.winners):
        yield f"Of those, {decision.winner.name} is the smallest: {_value(decision.winner, SIZE)}."


def _faster(decision: VariantDecision, floor: float | None) -> Iterator[str]:
    race = decision.race
    if len(race.good) < 2 or LATENCY not in race.fast[0].metrics:
        return
    tied = [each.name for each in race.fast[1:]]
    noise = f" or within the noise floor of {floor:.1%}" if floor is not None else ""
    more = f" Not to be told apart from it (intervals overlap{noise}): {listed(tied)}." if tied else ""
    yield f"Of these, {race.fast[0].name} is the fastest: p95 latency {_value(race.fast[0], LATENCY)}.{more}"


def _unsure(candidate: Candidate, limits: Sequence[Requirement]) -> Iterator[str]:
    for limit in limits:
        if limit.is_unsure(candidate.metrics.get(limit.metric)):
            text = f"{candidate.name} keeps {limit.words()} by its value, not with its whole interval"
            yield f"{text}: {_value(candidate, limit.metric)}."


def _costs(decision: VariantDecision, requirements: Requirements) -> Iterator[str]:
    winner = decision.winner
    if winner is None:
        return
    if (drop := winner.quality_drop) is not None:
        kept = "within" if drop.is_non_inferior else "not surely within"
        loss, scale = _amount(drop.metric, drop.value, ".2f"), POINTS if is_share(drop.metric) else 1
        yield (
            f"Against the model it was made from it loses {loss} of {name_of(drop.metric)} ({drop.confidence:.0%}: "
            f"{drop.lower * scale:.2f} to {drop.upper * scale:.2f}, same {drop.n:,} rows), {kept} the margin of "
            f"{_amount(drop.metric, drop.margin)}."
        )
    if (speed := winner.speed_up) is not None:
        tied = "; that is within the noise of this machine" if speed.is_tied else ""
        yield (
            f"It answers {speed.value:.2f} times as fast ({speed.confidence:.0%}: {speed.lower:.2f} to "
            f"{speed.upper:.2f}){tied}."
        )
    if winner.size_saved_ratio is not None:
        yield (
            f"Its file is {abs(winner.size_saved_ratio):.0%} {'smaller' if winner.size_saved_ratio >= 0 else 'larger'}."
        )
    yield from _against_best(decision, requirements)
    yield from _money(winner, decision.race.within)


def _money(winner: Candidate, within: Sequence[Candidate]) -> Iterator[str]:
    """Yield what the winner costs, and whether another candidate within the limits costs less."""
    for metric in (each for each in COSTS if each in winner.metrics):
        yield f"{capital(name_of(metric))}: {_value(winner, metric)}."
        having = [each for each in within if metric in each.metrics]
        cheapest = min(having, key=lambda each: each.metrics[metric].value)
        if cheapest.name != winner.name and cheapest.metrics[metric].value < winner.metrics[metric].value:
            yield f"{cheapest.name} costs less: {name_of(metric)} {_value(cheapest, metric)}."


def _against_best(decision: VariantDecision, requirements: Requirements) -> Iterator[str]:
    """Return what the best model would gain and cost, compared with the winner."""
    quality, winner = requirements.quality, decision.winner
    having = [each for each in decision.race.usable if quality in each.metrics]
    best = min(having, key=lambda each: requirements.axis.sign * each.metrics[quality].value, default=None)
    if winner is None or best is None or quality not in winner.metrics:
        return
    if best.name == winner.name:
        yield f"No candidate is better in {name_of(quality)}."
        return
    gap = best.metrics[quality].value - winner.metrics[quality].value
    both = [metric for metric in (LATENCY, SIZE) if metric in best.metrics and metric in winner.metrics]
    prices = [f"{name_of(metric)} {_value(best, metric)} instead of {_value(winner, metric)}" for metric in both]
    at = f", at {listed(prices)}" if prices else ""
    more = "more" if requirements.direction is AxisDirection.MAX else "less"
    yield f"{best.name} has {_amount(quality, abs(gap), '.2f')} {more} {name_of(quality)}{at}."


def _change(change: LimitChange, quality: str) -> str:
    then = f"{change.winner} would be taken" if change.winner else "nobody would be left"
    if change.metric == "margin":
        after, before = (_amount(quality, margin, ".4g") for margin in (change.after, change.before or 0))
        return f"With a margin of {after} instead of {before}, {then}."
    words = Requirement(change.metric, change.after, change.direction).words()
    if change.before is None:
        return f"If {words} were demanded, {then}."
    return f"With {words} instead of {change.before:g}, {then}."


def _not_known(choice: Candidates, requirements: Requirements, decision: VariantDecision) -> Iterator[str]:
    if choice.is_partial:
        yield "The measurement was interrupted: some candidates are missing."
    if decision.winner is not None:
        yield from _doubts(decision.winner)
    yield from _out(choice.candidates)
    asked = {*(limit.metric for limit in requirements.limits), requirements.quality, LATENCY, SIZE}
    for each in decision.race.usable:
        lacking = sorted(asked - set(each.metrics))
        if lacking:
            yield f"{each.name} has no {listed([name_of(metric) for metric in lacking])}."
    if choice.noise_floor is None:
        yield "The noise floor of the machine was not measured: small differences in speed may be chance."
    yield _machine(choice.manifest)
    if choice.learning_curve is None:
        yield "What more training data would bring was not estimated."
    else:
        yield from describe(choice.learning_curve)


def _doubts(winner: Candidate) -> Iterator[str]:
    if winner.measurement is None:
        yield f"Nobody judged how far the estimates of {winner.name} may be believed."
    elif winner.measurement.status is Status.INDICATIVE:
        reasons = " ".join(reason.message for reason in winner.measurement.reasons)
        yield f"The estimates of {winner.name} are indicative. {reasons}".rstrip()


def _out(candidates: Sequence[Candidate]) -> Iterator[str]:
    failed = [each.name for each in candidates if each.verdict.answer is VariantAnswer.FAILED]
    invalid = [each.name for each in candidates if each.name not in failed and not is_usable(each)]
    if failed:
        yield f"Could not be made or measured: {listed(failed)}."
    if invalid:
        yield f"Measured, but not to be believed, and left out: {listed(invalid)}."


def _machine(manifest: Mapping[str, object] | None) -> str:
    machine = (manifest or {}).get("machine")
    cpu = machine.get("cpu") if isinstance(machine, Mapping) else None
    where = f"on {cpu}" if cpu else "on a machine that the file does not name"
    card = name_of_card(manifest)
    where += f" with {card}" if card != NO_CARD else ""
    return f"Measured {where}; on the device itself speed and order may differ."


def _value(candidate: Candidate, metric: str) -> str:
    return f"{with_bounds(candidate.metrics.get(metric))} {unit_of(metric)}".rstrip()


def _amount(metric: str, amount: float, digits: str = "g") -> str:
    """Return an amount of a metric in points if it is a share, otherwise in its own unit."""
    return _points(amount, digits) if is_share(metric) else f"{amount:.4g} {unit_of(metric)}".rstrip()


def _points(share: float, digits: str = "g") -> str:
    """Return a share in points: `1 point` for 0.01."""
    words = f"{share * POINTS:{digits}}"
    return f"{words} point" if words == "1" else f"{words} points"
