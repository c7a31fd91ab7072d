"""Explain a decided matrix in sentences: the choice, the reasons, counterarguments, possible changes, and unknowns."""

import dataclasses
from collections.abc import Iterator

from weighbridge.cli.tables.terminal import number
from weighbridge.core.metrics.basis import Basis
from weighbridge.tradeoff.charts.words import listed, with_bounds
from weighbridge.tradeoff.decision import Situation
from weighbridge.tradeoff.matrix.decided import CLEAR_FROM, MatrixDecision, OptionPlace
from weighbridge.tradeoff.matrix.decision_matrix import Criterion, Matrix
from weighbridge.tradeoff.matrix.weights import WeightMethod

# An option that wins this share of draws or more is listed as a possible winner.
MAY_WIN = 0.1
METHODS = {
    WeightMethod.DIRECT: "stated directly",
    WeightMethod.SWING: "from swings",
    WeightMethod.AHP: "from judgments two by two (AHP)",
}


@dataclasses.dataclass(frozen=True)
class Argument:
    """One headline and five lists of sentences; deterministic for the same decision."""

    headline: str
    why: tuple[str, ...]
    against: tuple[str, ...]
    rejected: tuple[str, ...]
    changes: tuple[str, ...]
    not_known: tuple[str, ...]


def argue(decision: MatrixDecision) -> Argument:
    """Explain a decided matrix in words."""
    return Argument(
        headline=_headline(decision),
        why=tuple(_why(decision)),
        against=tuple(_against(decision)),
        rejected=tuple(f"{each.name}: {' '.join(each.reasons)}{_perhaps(each)}" for each in decision.rejected),
        changes=tuple(_changes(decision)),
        not_known=tuple(_not_known(decision)),
    )


def _headline(decision: MatrixDecision) -> str:
    winner = decision.winner
    if winner is None:
        return "No option passes the hard gates."
    others = [each.name for each in decision.ranked[1:] if each.rank == 1]
    contenders = [each.name for each in decision.places if each is not winner and each.p_best >= MAY_WIN]
    match decision.situation:
        case Situation.SINGLE:
            return f"Take {winner.name}; no other option passes the hard gates."
        case Situation.TIED:
            return f"Take {winner.name}; {listed(others)} would do as well."
        case Situation.AMBIGUOUS if contenders:
            return f"Probably take {winner.name}; within the intervals, {listed(contenders)} may be the choice instead."
        case Situation.AMBIGUOUS:
            return f"Probably take {winner.name}; the choice hangs on {listed(_doubts(decision, winner))}."
    return f"Take {winner.name}."


def _doubts(decision: MatrixDecision, winner: OptionPlace) -> list[str]:
    """Return what the choice depends on, except other options' chances within the intervals."""
    return [
        *(["a gate"] if winner.p_best < CLEAR_FROM else []),
        *(["the weights"] if winner.wins_near < CLEAR_FROM else []),
        *(["the method"] if winner.closeness_rank != 1 else []),
        *dict.fromkeys(f"{turn.without} being among the options" for turn in decision.reversals if turn.is_of_winner),
    ]


def _why(decision: MatrixDecision) -> Iterator[str]:
    matrix = decision.matrix
    weights = ", ".join(f"{each.name} {matrix.weights.values[each.id]:.0%}" for each in matrix.criteria)
    ratio = matrix.weights.consistency_ratio
    more = f", consistency ratio {ratio:.3f}" if ratio is not None else ""
    gates = "; ".join(f"{each.name} {each.gate_words()}" for each in matrix.criteria if each.gate is not None)
    yield f"{len(decision.ranked)} of {len(matrix.options)} options pass the hard gates ({gates or 'none were set'})."
    yield f"The weights are {METHODS[matrix.weights.method]}{more}: {weights}."
    winner = decision.winner
    if winner is None:
        return
    scores = ", ".join(f"{each.name} {each.score:.3f}" for each in decision.ranked)
    yield f"Weighted sum of the min-max estimates: {scores}."
    if (second := decision.second_opinion) is not None and len(decision.ranked) > 1:
        close = ", ".join(f"{each.name} {each.closeness:.3f}" for each in decision.ranked)
        agrees = "agrees" if second.closeness == winner.closeness else f"would take {second.name}"
        yield f"TOPSIS {agrees}: {close}."
    best = [
        each
        for each in matrix.criteria
        if winner.shares[each.id] == max(place.shares[each.id] for place in decision.ranked)
    ]
    if best and len(decision.ranked) > 1:
        yield f"{winner.name} is the best in {listed([_estimate(matrix, winner, each) for each in best])}."
    yield (
        f"It wins {winner.p_best:.1%} of {decision.draws:,} draws of the estimates within their intervals, and "
        f"{winner.wins_near:.1%} with weights near the stated ones ({winner.wins_any:.1%} with any weights at all)."
    )


def _against(decision: MatrixDecision) -> Iterator[str]:
    """Return the criteria in which another option is better, and the difference."""
    winner = decision.winner
    for criterion in decision.matrix.criteria if winner is not None else ():
        best = max(decision.ranked, key=lambda place: place.shares[criterion.id])
        if winner is not None and best.shares[criterion.id] > winner.shares[criterion.id]:
            yield (
                f"{best.name} is better in {_estimate(decision.matrix, best, criterion)}; "
                f"{winner.name} has {_value(decision.matrix, winner, criterion)}."
            )


def _changes(decision: MatrixDecision) -> Iterator[str]:
    names = {each.id: each.name for each in decision.matrix.criteria}
    for flip in decision.flips:
        way = "up" if flip.change > 0 else "down"
        yield (
            f"{flip.winner} wins once the weight of {names[flip.criterion]} goes {way} from {flip.before:.0%} past "
            f"{flip.after:.1%}, the others in proportion."
        )
    if decision.winner is not None and len(decision.ranked) > 1 and not decision.flips:
        yield "No change of a single weight changes the choice."
    for turn in decision.reversals:
        what = "the choice" if turn.is_of_winner else "the order behind it"
        yield f"Without {turn.without}, {turn.method} changes {what}: {' > '.join(turn.after)}."
    if decision.reversals:
        yield "Such reversals go away where a worst and a best value fix the scale of each criterion."
    if len(decision.ranked) > 2 and not decision.reversals:
        yield "Dropping any of the losing options leaves the order of the rest as it is."


def _not_known(decision: MatrixDecision) -> Iterator[str]:
    for place in decision.ranked:
        yield from _unmeasured(decision.matrix, place)
    for place in decision.ranked:
        if place.p_gates is not None and place.p_gates < 1:
            missed = f"misses one in {1 - place.p_gates:.1%} of the draws"
            yield f"{place.name} passes the gates at its values, but {missed}."
    names = {each.id: each.name for each in decision.matrix.criteria}
    for pair in decision.dependences:
        weight = sum(decision.matrix.weights.values[each] for each in (pair.first, pair.second))
        how = "are good and bad together" if pair.correlation > 0 else "are good where the other is bad"
        effect = "counts twice" if pair.correlation > 0 else "cancels itself"
        yield (
            f"{names[pair.first]} and {names[pair.second]} {how} (correlation {pair.correlation:.2f}): a weighted sum "
            f"takes them for two reasons, so what they share {effect}, at {weight:.0%} of the weight."
        )
    yield "Estimates are drawn independently of each other; what moves several of them at once is not in P(best)."


def _unmeasured(matrix: Matrix, place: OptionPlace) -> Iterator[str]:
    """Return which estimates of an option were not measured, and which have no interval."""
    cells = matrix.cells_of(place.name)
    for basis in (Basis.DECLARED, Basis.ESTIMATED):
        names = [each.name for each in matrix.criteria if cells[each.id].basis is basis]
        if names:
            yield f"{place.name}: {listed(names)} {'is' if len(names) == 1 else 'are'} {basis.value}, not measured."
    exact = [each.name for each in matrix.criteria if cells[each.id].estimate.lower is None]
    if exact:
        yield (
            f"{place.name}: {listed(exact)} "
            f"{'has no interval and is' if len(exact) == 1 else 'have no intervals and are'} taken as exact."
        )


def _perhaps(place: OptionPlace) -> str:
    """Return the probability that a rejected option would pass after all."""
    return f" It passes all gates in {place.p_gates:.1%} of the draws." if place.p_gates else ""


def _value(matrix: Matrix, place: OptionPlace, criterion: Criterion) -> str:
    return criterion.with_unit(number(matrix.cells_of(place.name)[criterion.id].estimate.value))


def _estimate(matrix: Matrix, place: OptionPlace, criterion: Criterion) -> str:
    estimate = matrix.cells_of(place.name)[criterion.id].estimate
    return f"{criterion.name} ({criterion.with_unit(with_bounds(estimate))})"
