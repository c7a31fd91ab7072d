"""Options by the cost of an accepted answer, `weighbridge.accepted/1`: which is cheapest, and from which failure cost.

A model that is right more often is worth its price once a failure costs enough: of two options, the one with fewer
tasks unanswered is cheaper above (A_1 - A_2) / (U_2 - U_1), where A is what the tries of a task cost and U the share of
tasks without an accepted answer.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.parts.managed import ManagedApi, managed_cost
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.projection_document import plain
from weighbridge.costs.spec.usd import UsdPerRequest
from weighbridge.costs.uncertainty import DRAWS, SEED, levels_of
from weighbridge.costs.value.accepted_answers import AcceptedCost, AnswerChecks, accepted_cost, divided
from weighbridge.costs.value.drawn_inputs import (
    DrawnInputs,
    call_remarks,
    drawn_inputs,
    number_document,
    share_of,
    usd_document,
)
from weighbridge.costs.value.own_or_api import OwnServer
from weighbridge.costs.value.pass_rates import FEW_CLUSTERS, RepeatedRuns

SCHEMA = "weighbridge.accepted/1"
OPTIONS_MAX, FAILURE_COSTS_MAX = 12, 64
STEPS = 13
NO_RUNS: Mapping[str, RepeatedRuns] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AcceptedOption(AnswerChecks):
    """One way to get accepted answers: a try costs `usd_per_try`, or a `call` to an API, or an `own` request."""

    usd_per_try: UsdPerRequest | None = None
    call: ManagedApi | None = None
    own: OwnServer | None = None

    def __post_init__(self) -> None:
        """Refuse a try with no cost or several, and whatever `AnswerChecks` refuses."""
        super().__post_init__()
        stated = [each for each in (self.usd_per_try, self.call, self.own) if each is not None]
        if len(stated) != 1:
            raise Invalid("Give one of usd_per_try, call and own: what a try costs.", field="usd_per_try")

    @property
    def try_usd(self) -> Number:
        """What one try costs."""
        if self.own is not None:
            return self.own.usd_per_request
        return self.usd_per_try if self.call is None else managed_cost(self.call).total_usd


@dataclasses.dataclass(frozen=True)
class ComparedOption:
    """An option with its costs, at the medians of its inputs and as draws."""

    name: str
    given: DrawnInputs[AcceptedOption]
    middle: AcceptedCost
    drawn: AcceptedCost
    runs: RepeatedRuns | None


def accepted_document(
    document: Mapping[str, Any],
    book: PriceBook,
    *,
    runs: Mapping[str, RepeatedRuns] = NO_RUNS,
    failure_usd: Sequence[float] = (),
    seed: int = SEED,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Return what an accepted answer of each option costs, and the option that is cheapest, with probability.

    `document` has `options` by name, with the inputs of `AcceptedOption`. `runs` has, by option, repeated runs of its
    items, which replace its pass rate and the assumption that tries are independent. `failure_usd` are the costs of a
    task without an accepted answer at which the options are compared. Raises Invalid with the path of a fault.
    """
    candidates = _candidates(document, book, runs, seed=seed, draws=draws)
    grid = _grid(candidates, failure_usd)
    per_accepted = {each.name: np.asarray(each.drawn.usd_per_accepted) for each in candidates}
    found = {
        "schema": SCHEMA,
        "seed": seed,
        "draws": draws,
        "options": [_option(each, book) for each in candidates],
        "cheapest": _cheapest(per_accepted, draws),
        "failure_costs": [_at_failure_cost(candidates, float(usd), draws) for usd in grid],
        "thresholds": [_threshold(one, other) for one, other in permutations(candidates, 2) if _has_fewer(one, other)],
        "snapshot": book.snapshot_id,
    }
    return dict(plain(found))


def _candidates(
    document: Mapping[str, Any], book: PriceBook, runs: Mapping[str, RepeatedRuns], *, seed: int, draws: int
) -> tuple[ComparedOption, ...]:
    reader = Reader(document)
    options = reader.mapping("options")
    reader.close()
    if not 1 <= len(options.names) <= OPTIONS_MAX:
        raise reader.fault("options", f"must have 1 to {OPTIONS_MAX} options, not {len(options.names)}.")
    unknown = [name for name in runs if name not in options.names]
    if unknown:
        raise Invalid(f"There are runs of {unknown[0]!r}, which is no option.", field="runs")
    return tuple(_candidate(name, options, book, runs.get(name), seed=seed, draws=draws) for name in options.names)


def _candidate(
    name: str, options: Reader, book: PriceBook, runs: RepeatedRuns | None, *, seed: int, draws: int
) -> ComparedOption:
    stated, path = options.plain(name), options.at(name)
    if not isinstance(stated, Mapping):
        raise options.fault(name, "must be a mapping of names to values.")
    if runs is not None:
        if any(key in stated for key in ("pass_rate", "passed", "items")):
            raise Invalid(f"{path} has a pass rate and repeated runs; leave one out.", field=path)
        stated = {**stated, "pass_rate": runs.moments(1)[1]}
    given = drawn_inputs(AcceptedOption, stated, book, path=path, seed=seed, n=draws)
    checks = given.drawn.drawn(n=draws, seed=seed, stream=f"{path}/pass_rate")
    moments = None if runs is None else runs.draw(checks.tries, n=draws, seed=seed, stream="runs")
    middle = accepted_cost(given.middle, given.middle.try_usd, runs=runs)
    return ComparedOption(name, given, middle, accepted_cost(checks, given.drawn.try_usd, runs=moments), runs)


def _option(each: ComparedOption, book: PriceBook) -> dict[str, Any]:
    middle, drawn, stated = each.middle, each.drawn, each.given.stated
    return {
        "name": each.name,
        **each.given.as_document(),
        "metrics": {
            "cost_per_request_usd": usd_document(middle.usd_per_try, drawn.usd_per_try),
            "cost_per_accepted_usd": usd_document(middle.usd_per_accepted, drawn.usd_per_accepted),
        },
        "has_fallback": middle.has_fallback,
        "parts": {
            "tries_usd": usd_document(middle.tries_usd, drawn.tries_usd),
            "fallback_usd": usd_document(middle.fallback_usd, drawn.fallback_usd),
            "wrong_usd": usd_document(middle.wrong_usd, drawn.wrong_usd),
            "task_usd": usd_document(middle.usd_per_task, drawn.usd_per_task),
        },
        "attempts": number_document(middle.outcome.attempts, drawn.outcome.attempts),
        "accepted_share": number_document(middle.outcome.accepted, drawn.outcome.accepted),
        "wrong_among_accepted": number_document(
            middle.outcome.wrong_among_accepted, drawn.outcome.wrong_among_accepted
        ),
        "rejected_right": number_document(middle.outcome.rejected_right, drawn.outcome.rejected_right),
        "runs": _runs(each.runs, stated.tries),
        "remarks": [*call_remarks(each.name, stated.call, each.given.pins, book), *_doubts(each)],
    }


def _runs(runs: RepeatedRuns | None, tries: int) -> dict[str, Any] | None:
    if runs is None:
        return None
    passes = {str(each): runs.pass_at(each) for each in range(1, tries + 1)}
    return {"items": len(runs.items), "clusters": runs.clusters, "pass_at": passes}


def _doubts(each: ComparedOption) -> list[dict[str, Any]]:
    """Say what the figures assume."""
    stated, found = each.given.stated, []
    if each.runs is None and stated.tries > 1:
        found.append(
            "The tries are taken as independent. At temperature 0 a repeated try fails again: give repeated runs."
        )
    if each.runs is not None and each.runs.clusters < FEW_CLUSTERS:
        found.append(f"The runs are of {each.runs.clusters} clusters; below {FEW_CLUSTERS} the ranges are too narrow.")
    if each.runs is None and not stated.items and isinstance(stated.pass_rate, int | float):
        found.append("The pass rate is one number without the size of its test; its uncertainty is not in the ranges.")
    return [{"option": each.name, "kind": "pass rate", "text": text} for text in found]


def _cheapest(costs: Mapping[str, NDArray[np.float64]], draws: int) -> dict[str, float]:
    """The share of draws in which each option costs least; ties are shared evenly."""
    table = np.stack([np.broadcast_to(each, draws) for each in costs.values()])
    is_least = table == table.min(axis=0)
    shares = (is_least / is_least.sum(axis=0)).mean(axis=1)
    return {name: float(share) for name, share in zip(costs, shares, strict=True)}


def _at_failure_cost(candidates: Sequence[ComparedOption], usd: float, draws: int) -> dict[str, Any]:
    drawn = {each.name: np.asarray(each.drawn.at_failure_cost(usd)) for each in candidates}
    tasks = {each.name: usd_document(each.middle.at_failure_cost(usd), drawn[each.name]) for each in candidates}
    return {"failure_usd": usd, "task_usd": tasks, "cheapest": _cheapest(drawn, draws)}


def _has_fewer(one: ComparedOption, other: ComparedOption) -> bool:
    """Whether an option leaves fewer tasks unanswered at the medians, and its tries cost more."""
    return bool(one.middle.unanswered < other.middle.unanswered and _tries(one.middle) > _tries(other.middle))


def _tries(cost: AcceptedCost) -> Number:
    return cost.at_failure_cost(0)


def _threshold(one: ComparedOption, other: ComparedOption) -> dict[str, Any]:
    """The failure cost above which the dearer option is cheaper, over the draws that have one."""
    middle = (_tries(one.middle) - _tries(other.middle)) / (other.middle.unanswered - one.middle.unanswered)
    gap, fewer = _tries(one.drawn) - _tries(other.drawn), other.drawn.unanswered - one.drawn.unanswered
    found = np.atleast_1d(np.asarray(divided(np.asarray(gap), np.asarray(fewer), otherwise=np.nan)))
    known = found[np.isfinite(found)]
    levels = levels_of(np.maximum(known, 0.0)) if len(known) else None
    return {
        "option": one.name,
        "cheaper_than": other.name,
        "above_failure_usd": {"middle": float(middle), **(levels or {})},
        "probability": share_of(np.isfinite(found)),
    }


def _grid(candidates: Sequence[ComparedOption], failure_usd: Sequence[float]) -> Sequence[float]:
    """The stated failure costs, or 0 and steps from 1/16 to 16 times around the thresholds."""
    is_within = all(0 <= usd < float("inf") for usd in failure_usd)
    if len(failure_usd) > FAILURE_COSTS_MAX or not is_within:
        raise Invalid(f"Give at most {FAILURE_COSTS_MAX} costs of a failure, each 0 or more.", field="failure_usd")
    if failure_usd:
        return failure_usd
    pairs = [(one, other) for one, other in permutations(candidates, 2) if _has_fewer(one, other)]
    middles = [_threshold(one, other)["above_failure_usd"]["middle"] for one, other in pairs]
    if not middles:
        return (0.0,)
    return (0.0, *np.geomspace(min(middles) / 16, max(middles) * 16, STEPS).tolist())
