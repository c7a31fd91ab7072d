"""The decided matrix, `weighbridge.matrix/1`: rejected options with reasons, the winners, and their robustness."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from weighbridge.cli.tables.terminal import number
from weighbridge.core.canonical import digest_of
from weighbridge.tradeoff.decision import Situation
from weighbridge.tradeoff.matrix.decision_matrix import Matrix, MatrixOption
from weighbridge.tradeoff.matrix.robustness import (
    NEARNESS,
    Dependence,
    Flip,
    Reversal,
    dependent_criteria,
    flips,
    p_best,
    reversals,
    smaa,
)
from weighbridge.tradeoff.matrix.scores import Frame, Switches, Values, closeness, min_max, passes, ranks, weighted_sums
from weighbridge.tradeoff.pareto import oriented

SCHEMA = "weighbridge.matrix/1"
DRAWS, SEED = 10_000, 20_260_101
# A winner is clear if it wins at least this share of draws, within the intervals and with weights near the stated ones.
CLEAR_FROM = 0.8


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptionPlace:
    """The result of an option. `reasons` explain a rejection; options that are not rejected have scores and ranks.

    `shares` are its min-max estimates by criterion; `p_best` and `p_gates` come from the intervals, `wins_near` and
    `wins_any` from drawn weights. An excluded option has no estimates.
    """

    name: str
    reasons: tuple[str, ...] = ()
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)
    score: float | None = None
    rank: int | None = None
    closeness: float | None = None
    closeness_rank: int | None = None
    p_best: float = 0.0
    p_gates: float | None = None
    wins_near: float = 0.0
    wins_any: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatrixDecision:
    """The results in file order, the winners by weighted sum and by TOPSIS, and the robustness checks."""

    matrix: Matrix
    places: tuple[OptionPlace, ...]
    situation: Situation
    flips: tuple[Flip, ...]
    reversals: tuple[Reversal, ...]
    dependences: tuple[Dependence, ...]
    draws: int
    seed: int

    @property
    def ranked(self) -> tuple[OptionPlace, ...]:
        """Return the options that pass, the best first."""
        return tuple(sorted((each for each in self.places if each.rank), key=lambda place: place.rank or 0))

    @property
    def rejected(self) -> tuple[OptionPlace, ...]:
        """Return the options that were excluded or missed a gate, with reasons."""
        return tuple(each for each in self.places if each.rank is None)

    @property
    def winner(self) -> OptionPlace | None:
        """Return the best option by the weighted sum, the first of ties; None if no option passes."""
        return self.ranked[0] if self.ranked else None

    @property
    def second_opinion(self) -> OptionPlace | None:
        """Return the best option by TOPSIS."""
        return min(self.ranked, key=lambda place: place.closeness_rank or 0, default=None)

    def as_document(self) -> dict[str, Any]:
        """Return the decision as `weighbridge.matrix/1`; `input` is the matrix file, to reproduce it."""
        given, weights = self.matrix.as_document(), self.matrix.weights
        ratio = weights.consistency_ratio
        return {
            "schema": SCHEMA,
            "situation": self.situation.value,
            "winner": self.winner.name if self.winner else None,
            "second_opinion": self.second_opinion.name if self.second_opinion else None,
            "weights": {"method": weights.method.value, "values": dict(weights.values), "consistency_ratio": ratio},
            "places": [{**dataclasses.asdict(each), "is_rejected": each.rank is None} for each in self.places],
            "flips": [{**dataclasses.asdict(each), "change": each.change} for each in self.flips],
            "reversals": [{**dataclasses.asdict(each), "is_of_winner": each.is_of_winner} for each in self.reversals],
            "dependences": [dataclasses.asdict(each) for each in self.dependences],
            "draws": self.draws,
            "seed": self.seed,
            "nearness": NEARNESS,
            "input": given,
            "digest": digest_of({"input": given, "draws": self.draws, "seed": self.seed}),
        }


def decide(matrix: Matrix, *, draws: int = DRAWS, seed: int = SEED) -> MatrixDecision:
    """Apply gates and weights, and check the robustness; deterministic for the same matrix, draws and seed."""
    judged, frame = matrix.judged, Frame.of(matrix.criteria)
    weights = np.array([matrix.weights.values[name] for name in matrix.ids])
    estimates = [[option.cells[name].estimate for name in matrix.ids] for option in judged]
    values, drawn = oriented(estimates, frame.signs, draws=draws, seed=seed)
    allowed = passes(values, frame)
    shares = min_max(values, allowed, frame) if len(judged) else values
    places = _places(matrix, values, shares, allowed, drawn, frame, weights, seed)
    inside = np.flatnonzero(allowed)
    left = [judged[index].name for index in inside]
    turns = reversals(left, values[inside], frame, weights) if len(left) > 1 else ()
    return MatrixDecision(
        matrix=matrix,
        places=places,
        situation=_situation(places, turns),
        flips=flips(left, matrix.ids, shares[inside], weights) if len(left) > 1 else (),
        reversals=turns,
        dependences=dependent_criteria(matrix.ids, shares[inside]),
        draws=draws,
        seed=seed,
    )


def _places(
    matrix: Matrix,
    values: Values,
    shares: Values,
    allowed: Switches,
    drawn: Values,
    frame: Frame,
    weights: Values,
    seed: int,
) -> tuple[OptionPlace, ...]:
    judged = matrix.judged
    if not judged:
        return tuple(OptionPlace(name=option.name, reasons=(option.excluded,)) for option in matrix.options)
    scores, close = weighted_sums(shares, allowed, weights), closeness(values, allowed, weights)
    best, kept = p_best(drawn, frame, weights)
    near = smaa(shares, allowed, NEARNESS * weights, draws=len(drawn), seed=seed)
    any_ = smaa(shares, allowed, np.ones(len(weights)), draws=len(drawn), seed=seed)
    by_sum, by_closeness = ranks(scores), ranks(close)
    found = {}
    for index, option in enumerate(judged):
        is_in = bool(allowed[index])
        found[option.name] = OptionPlace(
            name=option.name,
            reasons=() if is_in else _missed(matrix, option),
            shares=dict(zip(matrix.ids, map(float, shares[index]), strict=True)) if is_in else {},
            score=float(scores[index]) if is_in else None,
            rank=by_sum[index],
            closeness=float(close[index]) if is_in else None,
            closeness_rank=by_closeness[index],
            p_best=float(best[index]),
            p_gates=float(kept[index]),
            wins_near=float(near[index]),
            wins_any=float(any_[index]),
        )
    return tuple(
        found.get(each.name) or OptionPlace(name=each.name, reasons=(each.excluded,)) for each in matrix.options
    )


def _missed(matrix: Matrix, option: MatrixOption) -> tuple[str, ...]:
    """Return which gates an option misses, and by how much."""
    return tuple(
        f"{each.name} is {each.with_unit(number(option.cells[each.id].estimate.value))}; "
        f"the gate is {each.gate_words()}."
        for each in matrix.criteria
        if each.limit is not None and not each.limit.holds(option.cells[each.id].estimate)
    )


def _situation(places: tuple[OptionPlace, ...], turns: tuple[Reversal, ...]) -> Situation:
    inside = [each for each in places if each.rank is not None]
    if not inside:
        return Situation.NONE
    first = [each for each in inside if each.rank == 1]
    winner = first[0]
    is_sure = winner.p_best >= CLEAR_FROM and winner.wins_near >= CLEAR_FROM and winner.closeness_rank == 1
    if len(first) > 1:
        return Situation.TIED
    if not is_sure or any(each.is_of_winner for each in turns):
        return Situation.AMBIGUOUS
    return Situation.SINGLE if len(inside) == 1 else Situation.CLEAR
