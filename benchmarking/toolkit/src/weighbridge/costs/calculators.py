"""Calculators: each part of a projection on its own, from a few inputs, for the command line and the pages.

The inputs are the same as in a spec file. A price may also be a plain number without a source.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, Number, line_of
from weighbridge.costs.metrics import money_levels
from weighbridge.costs.parts.load_curve import LoadCurve
from weighbridge.costs.parts.lock_in import LockIn, exit_cost
from weighbridge.costs.parts.managed import ManagedApi, managed_cost
from weighbridge.costs.parts.ownership import Ownership, total_cost
from weighbridge.costs.parts.serving import SelfHosted, cost_per_1k_usd, serving_cost
from weighbridge.costs.parts.time_model import TimeModel
from weighbridge.costs.parts.training import Training, training_cost
from weighbridge.costs.parts.work import Energy, energy_cost
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.projection_document import costing_document, plain, swing_document
from weighbridge.costs.remarks import remarks
from weighbridge.costs.spec.inputs import amounts_in, draw_all, ranges_in, replaced
from weighbridge.costs.spec.pins import Pins, PlainPrices
from weighbridge.costs.spec.reading import Given, inputs
from weighbridge.costs.spec.spec_file import read_curve
from weighbridge.costs.uncertainty import (
    DRAWS,
    SEED,
    Amount,
    Share,
    Signed,
    Swing,
    check_amounts,
    levels_of,
    probability_above,
)
from weighbridge.costs.value.answer_quality import Detection

SCHEMA = "weighbridge.cost/1"
NOTHING: Given = {}
LOAD_KEYS = ("requests_per_year", "day_swing", "weekend", "peak_hour", "monthly_growth", "hourly_counts")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service:
    """Self-hosted replicas under the load of a year."""

    requests_per_year: Amount
    replicas: SelfHosted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gain(TimeModel):
    """The gain of better answers: both rates before and after, and the extra cost over the years, as a present value.

    Cases grow with the volume; they count from the month of going live.
    """

    stakes: Detection
    recall: Share
    recall_after: Share
    false_alarm_rate: Share = 0.0
    false_alarm_rate_after: Share | None = None
    extra_cost_usd: Signed = 0.0
    adoption: Share = 1.0
    years: int = 1

    def __post_init__(self) -> None:
        """Validate the amounts and require a number of cases."""
        self.check_time()
        check_amounts(self)
        if self.stakes.cases_per_year is None:
            raise Invalid("Give the number of cases per year.", field="stakes.cases_per_year")


# Reads inputs with ranges; returns them, and the function that computes their cost from numbers or draws.
_Calculator = Callable[[Mapping[str, Any], Pins], tuple[Any, Callable[[Any], Costing]]]


def calculate(
    name: str, document: Mapping[str, Any], book: PriceBook, *, seed: int = SEED, draws: int = DRAWS
) -> dict[str, Any]:
    """Return the document of one of the `CALCULATORS`; raise Invalid that names the invalid input."""
    pins = PlainPrices(book)
    spec, cost = CALCULATORS[name](document, pins)
    ranges = ranges_in(spec)
    still = {path: spread.median for path, spread in ranges.items()}
    middle = cost(replaced(spec, still))
    drawn = cost(replaced(spec, draw_all(ranges, seed=seed, n=draws)))

    def total_with(path: str, value: float) -> float:
        """Return the total with one changed input; infinite if no number of replicas can serve the load."""
        try:
            return float(cost(replaced(spec, {**still, path: value})).total_usd)
        except Invalid:
            return float("inf")

    swings = [Swing(path, *(total_with(path, each.quantile(p)) for p in (0.1, 0.9))) for path, each in ranges.items()]
    found: dict[str, Any] = plain(
        {
            "schema": SCHEMA,
            "calculator": name,
            "seed": seed,
            "draws": draws,
            "inputs": amounts_in(spec),
            "laws": {path: each.law for path, each in ranges.items()},
            "total": money_levels(drawn.total_usd),
            "above_zero_probability": probability_above(drawn.total_usd, 0.0),
            **costing_document(middle, drawn),
            "quantity_levels": {key: levels_of(value) for key, value in drawn.quantities.items()},
            "tornado": [swing_document(each) for each in sorted(swings, key=lambda each: -each.size)],
            "remarks": [dataclasses.asdict(each) for each in remarks("", [middle], pins.found, on=book.as_of)],
            "prices": [pin.as_document() for pin in pins.found],
            "snapshot": book.snapshot_id,
        }
    )
    return found


def _plain_calculator(kind: type[Any], cost: Callable[[Any], Costing], given: Given = NOTHING) -> _Calculator:
    """Return the calculator whose inputs are those of one dataclass; `given` has the fields that nobody states."""
    return lambda document, pins: (inputs(kind, Reader(document), prices=pins, given=given), cost)


def _serving(document: Mapping[str, Any], pins: Pins) -> tuple[Service, Callable[[Service], Costing]]:
    load = Reader({key: value for key, value in document.items() if key in LOAD_KEYS})
    curve, requests = read_curve(load)
    load.close()
    replicas = Reader({key: value for key, value in document.items() if key not in LOAD_KEYS})
    sized = inputs(SelfHosted, replicas, prices=pins, given={SelfHosted: {"volume": 1.0}})
    return Service(requests_per_year=requests, replicas=sized), partial(_service_cost, curve)


def _service_cost(curve: LoadCurve, spec: Service) -> Costing:
    volume = spec.requests_per_year / curve.requests_per_year
    return _per_1k(serving_cost(curve, dataclasses.replace(spec.replicas, volume=volume)), spec.requests_per_year)


def _per_1k(costing: Costing, requests: Number) -> Costing:
    per_1k = cost_per_1k_usd(costing.total_usd, requests)
    return dataclasses.replace(costing, quantities={**costing.quantities, "cost_per_1k_usd": per_1k})


def _managed_cost(spec: ManagedApi) -> Costing:
    return _per_1k(managed_cost(spec), spec.requests_per_year)


def _ownership_cost(spec: Ownership) -> Costing:
    costing = total_cost(spec)
    return Costing(costing.lines, {"equivalent_annual_usd": spec.annual_usd(costing.total_usd)})


def _gain(spec: Gain) -> Costing:
    """Return the net gain over the years. Quantities: the gain of one year, and the points needed to break even."""
    cases, stakes = spec.stakes.cases_per_year, spec.stakes
    alarms_after = spec.false_alarm_rate if spec.false_alarm_rate_after is None else spec.false_alarm_rate_after
    before: Number = stakes.year_usd((spec.recall, spec.false_alarm_rate), cases)
    gain: Number = stakes.year_usd((spec.recall_after, alarms_after), cases) - before
    factor = spec.factor(spec.volume_rise)
    # Where a point is worth nothing, no number of points pays for the extra cost.
    with np.errstate(divide="ignore", invalid="ignore"):
        points = np.divide(spec.extra_cost_usd, spec.adoption * (stakes.per_point_usd(cases) * factor))
    lines = (
        line_of(
            spec,
            "gain",
            spec.adoption * gain * factor,
            "adoption · gain_per_year_usd · present_value_factor",
            gain_per_year_usd=gain,
            present_value_factor=factor,
        ),
        line_of(spec, "extra cost", -spec.extra_cost_usd, "- extra_cost_usd"),
    )
    return Costing(lines, {"gain_per_year_usd": gain, "break_even_points": np.maximum(points, 0.0)})


CALCULATORS: Final[Mapping[str, _Calculator]] = {
    "training": _plain_calculator(Training, training_cost),
    "serving": _serving,
    "managed": _plain_calculator(ManagedApi, _managed_cost),
    "tco": _plain_calculator(Ownership, _ownership_cost, {Ownership: {"later_serving_usd": ()}}),
    "value": _plain_calculator(Gain, _gain),
    "energy": _plain_calculator(Energy, energy_cost),
    "lock-in": _plain_calculator(LockIn, exit_cost),
}
