"""The projection document, `weighbridge.projection/1`, for pages, packets and other programs.

Money is decimal text; every line has its formula and terms, every price its date and source. Amounts at the medians of
all inputs add up exactly: totals are sums of the rounded lines. An infinite amount (the load cannot be served) is null.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from weighbridge.core.canonical import digest_of
from weighbridge.core.kpis import as_documents
from weighbridge.costs.lines import Costing, CostLine, Number
from weighbridge.costs.metrics import METRICS, exact_sum, money, money_levels
from weighbridge.costs.parts.options import CostOption
from weighbridge.costs.projection import CHEAPEST, OptionProjection, Projection
from weighbridge.costs.remarks import Remark, remarks
from weighbridge.costs.spec.inputs import amounts_in, laws_in
from weighbridge.costs.uncertainty import Swing, levels_of, probability_above
from weighbridge.costs.value.accepted_projection import accepted_metrics
from weighbridge.costs.value.answer_quality import QUALITY, Confusion, QualityChange, kind_of
from weighbridge.costs.value.crossover import DRAWS_AT_EACH, Crossover, crossover
from weighbridge.costs.value.worth import OptionWorth, worth

SCHEMA = "weighbridge.projection/1"


def as_document(projection: Projection) -> dict[str, Any]:
    """Return the projection in plain values, with a digest of the whole document."""
    spec = projection.spec
    document = {
        "schema": SCHEMA,
        "name": spec.name,
        "currency": "USD",
        "seed": projection.seed,
        "draws": projection.draws,
        "snapshot": spec.snapshot,
        "shared": amounts_in(spec.shared),
        "laws": laws_in(spec.shared),
        "load": {"requests_per_year": spec.requests_median, "peak_per_s": spec.curve.peak_per_s},
        "options": [_option(each, seed=projection.seed, draws=projection.draws) for each in projection.options],
        "cheapest": {metric: projection.cheapest(metric) for metric in CHEAPEST},
        "crossover": _crossover(crossover(spec, seed=projection.seed, draws=min(projection.draws, DRAWS_AT_EACH))),
        "thresholds": _thresholds(projection),
        "remarks": [dataclasses.asdict(each) for each in _remarks(projection)],
        "worth": [_worth(each, projection) for each in worth(projection)],
        "kpis": as_documents(spec.kpis),
        "prices": [pin.as_document() for pin in spec.pins],
        "pinned": spec.pinned.as_document(),
    }
    found: dict[str, Any] = plain(document)
    return {**found, "digest": digest_of(found)}


def _option(each: OptionProjection, *, seed: int, draws: int) -> dict[str, Any]:
    option, accepted = each.option, accepted_metrics(each, seed=seed, n=draws)
    return {
        "id": option.id,
        "title": option.title,
        "inputs": amounts_in(option),
        "laws": laws_in(option),
        "metrics": {**{name: _metric(name, each) for name in METRICS}, **accepted.metrics},
        "parts": {name: costing_document(part, each.drawn.parts[name]) for name, part in each.middle.parts.items()},
        "tornado": {name: [swing_document(swing) for swing in swings] for name, swings in each.tornado.items()},
        "lock_in": _lock_in(option),
        "quality": _quality(option),
        **accepted.parts,
    }


def _metric(name: str, each: OptionProjection) -> dict[str, Any]:
    kind = METRICS[name]
    levels = money_levels(each.metrics[name], kind.places)
    middle = money(float(np.mean(each.middle.metrics[name])), kind.places)
    endless = float(np.isinf(each.metrics[name]).mean())
    return {"unit": kind.unit, "middle": middle, **levels, "unserved_probability": endless}


def costing_document(middle: Costing, drawn: Costing) -> dict[str, Any]:
    """Return lines with their levels, formula and terms; the total is the sum of the rounded lines."""
    lines = [_line(line, drawn.lines[position]) for position, line in enumerate(middle.lines)]
    quantities = {name: _number(value) for name, value in middle.quantities.items()}
    total = exact_sum([line["usd"] for line in lines])
    remarks = {"left_out": middle.left_out, "notes": middle.notes}
    return {"total_usd": total, "lines": lines, "quantities": quantities, **remarks}


def _line(middle: CostLine, drawn: CostLine) -> dict[str, Any]:
    terms = {name: _number(value) for name, value in middle.terms.items() if value is not None}
    amounts = {"usd": money(float(middle.usd)), **money_levels(drawn.usd)}
    return {"name": middle.name, **amounts, "formula": middle.formula, "terms": terms}


def swing_document(swing: Swing) -> dict[str, Any]:
    """Return the effect of one input from its P10 to its P90."""
    return {"input": swing.name, "at_p10_usd": money(swing.at_p10), "at_p90_usd": money(swing.at_p90)}


def _remarks(projection: Projection) -> Iterator[Remark]:
    spec = projection.spec
    for position, each in enumerate(projection.options):
        pins = [pin for pin in spec.pins if pin.path.startswith(f"options[{position}].")]
        yield from remarks(each.option.id, each.middle.parts.values(), pins, on=spec.pinned.as_of)


def _lock_in(option: CostOption) -> dict[str, Any] | None:
    spec = option.lock_in
    if spec is None:
        return None
    scores = None if spec.scores is None else {**dataclasses.asdict(spec.scores), "out_of_100": spec.scores.out_of_100}
    return {
        "switch_probability": spec.switch_probability,
        "scores": scores,
        "forced_migration": spec.forced_migration,
        "forced_by": spec.forced_by,
    }


def _quality(option: CostOption) -> dict[str, Any] | None:
    quality = option.quality
    if quality is None:
        return None
    found = {"kind": kind_of(quality, QUALITY), **amounts_in(quality)}
    if isinstance(quality, Confusion):
        found["recall"], found["false_alarm_rate"] = quality.rates
    return found


def _crossover(found: Crossover) -> dict[str, Any]:
    costs = {
        name: [{level: money(usd) for level, usd in levels.items()} for levels in over]
        for name, over in found.costs.items()
    }
    return {"volumes": found.volumes, "costs_usd": costs, "pairs": [dataclasses.asdict(pair) for pair in found.pairs]}


def _thresholds(projection: Projection) -> list[dict[str, Any]]:
    found = []
    for threshold in projection.spec.thresholds:
        drawn = {each.option.id: each.metrics[threshold.metric] for each in projection.options}
        probability = {name: probability_above(draws, threshold.above) for name, draws in drawn.items()}
        found.append({"metric": threshold.metric, "above": threshold.above, "probability": probability})
    return found


def _worth(each: OptionWorth, projection: Projection) -> dict[str, Any]:
    quality = projection.of(each.option).option.quality
    amounts = ("year_usd", "gain_usd", "extra_cost_usd", "net_usd")
    return {
        "option": each.option,
        "is_claimed": isinstance(quality, QualityChange),
        **{name: money_levels(getattr(each, name)) for name in amounts},
        "break_even_points": levels_of(each.break_even_points),
        "kept_of_best_gain": levels_of(each.kept),
        "pays_probability": each.pays,
    }


def _number(value: Number) -> float:
    return float(np.mean(value))


def plain(value: Any) -> Any:
    """Return the value in JSON's own types; an infinite or undefined number becomes null, a date becomes text."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
