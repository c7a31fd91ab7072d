"""Accepted answers in a projection: what a request, a million output tokens and an accepted answer cost, by option.

The load counts requests to the model, and each request is one try; so a try costs the year's serving over its requests.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from weighbridge.costs.lines import Number
from weighbridge.costs.metrics import ANSWER_METRICS, money, money_levels
from weighbridge.costs.parts.charges import is_some
from weighbridge.costs.parts.managed import ManagedApi
from weighbridge.costs.projection import OptionProjection
from weighbridge.costs.spec.inputs import draw_all, ranges_in, replaced
from weighbridge.costs.uncertainty import levels_of
from weighbridge.costs.value.accepted_answers import AcceptedCost, accepted_cost
from weighbridge.costs.value.own_or_api import OUTPUTS, tokens_of, usd_per_million


@dataclasses.dataclass(frozen=True)
class AcceptedMetrics:
    """The metrics of an option by name, and what they follow from; both empty if the option does not state it."""

    metrics: Mapping[str, Any]
    parts: Mapping[str, Any]


def accepted_metrics(each: OptionProjection, *, seed: int, n: int) -> AcceptedMetrics:
    """Return the metrics of accepted answers of an option, as documents of metrics are.

    Output tokens divide only where the option states them. An accepted answer that costs without end has no metric.
    """
    checks = each.option.acceptance
    if checks is None:
        return AcceptedMetrics({}, {})
    ranges = ranges_in(checks)
    middle = replaced(checks, {path: spread.median for path, spread in ranges.items()})
    # The same streams as in the rest of the projection: the ranges of an option keep their draws.
    stream = f"{each.option.id}/acceptance."
    drawn = replaced(checks, draw_all(ranges, seed=seed, n=n, stream=stream))
    drawn = drawn.drawn(n=n, seed=seed, stream=f"{stream}pass_rate")
    calls = [side.serving.total_usd / side.requests_per_year for side in (each.middle, each.drawn)]
    costs = [accepted_cost(answers, call) for answers, call in zip((middle, drawn), calls, strict=True)]
    found = {
        "cost_per_request_usd": calls,
        "cost_per_m_output_tokens_usd": _per_million(each, calls, seed=seed, n=n),
        "cost_per_accepted_usd": [cost.usd_per_accepted for cost in costs],
    }
    metrics = {name: _metric(name, *sides) for name, sides in found.items() if _is_finite(sides)}
    return AcceptedMetrics(metrics, {"acceptance": _parts(*costs, tries=checks.tries)})


def _per_million(each: OptionProjection, calls: list[Number], *, seed: int, n: int) -> list[Number]:
    """US dollars per million output tokens of a managed API, at the medians and as draws; none without the tokens."""
    serving = each.option.serving
    if not isinstance(serving, ManagedApi) or not is_some(tokens_of(serving, OUTPUTS)):
        return []
    drawn = replaced(serving, draw_all(ranges_in(serving), seed=seed, n=n, stream=f"{each.option.id}/serving."))
    sides = zip(calls, (serving, drawn), strict=True)
    return [usd_per_million(call, tokens_of(side, OUTPUTS)) for call, side in sides]


def _is_finite(sides: list[Number]) -> bool:
    return bool(sides) and all(bool(np.isfinite(side).all()) for side in sides)


def _metric(name: str, middle: Number, drawn: Number) -> dict[str, Any]:
    kind = ANSWER_METRICS[name]
    levels = money_levels(drawn, kind.places)
    return {
        "unit": kind.unit,
        "middle": money(float(np.mean(middle)), kind.places),
        **levels,
        "unserved_probability": 0.0,
    }


def _parts(middle: AcceptedCost, drawn: AcceptedCost, *, tries: int) -> dict[str, Any]:
    amounts = {
        name: {"middle": money(float(getattr(middle, name)), 10), **money_levels(getattr(drawn, name), 10)}
        for name in ("tries_usd", "fallback_usd", "wrong_usd")
    }
    numbers = {
        name: {"middle": float(getattr(middle.outcome, name)), **levels_of(getattr(drawn.outcome, name))}
        for name in ("attempts", "accepted", "wrong_among_accepted")
    }
    never = float(np.mean(~(np.asarray(drawn.usd_per_accepted) < math.inf)))
    return {"tries": tries, **amounts, **numbers, "never_accepted_probability": never}
