"""Inputs read from a mapping, at the medians of their ranges and as draws; and amounts of a fraction of a cent."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.metrics import money, money_levels
from weighbridge.costs.parts.managed import ManagedApi, managed_cost
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.projection_document import plain
from weighbridge.costs.remarks import remarks
from weighbridge.costs.spec.inputs import amounts_in, draw_all, laws_in, ranges_in, replaced
from weighbridge.costs.spec.pins import Pin, PlainPrices
from weighbridge.costs.spec.reading import Given, inputs
from weighbridge.costs.spec.spec_file import DRAWS_MAX
from weighbridge.costs.uncertainty import levels_of

T = TypeVar("T")
# A call is counted once, so its cost is that of one request.
GIVEN: Final[Given] = {ManagedApi: {"requests_per_year": 1.0}, ModelPrices: {"batch": None, "others": ()}}
PLACES = 10
"""Decimal places of the cost of a request: a token costs as little as 1e-8 US dollars."""


@dataclasses.dataclass(frozen=True)
class DrawnInputs(Generic[T]):
    """Inputs as stated, at the medians of their ranges, and with draws; `pins` are the prices that they use."""

    stated: T
    middle: T
    drawn: T
    pins: tuple[Pin, ...]

    def as_document(self) -> dict[str, Any]:
        """Return the inputs, the distributions of their ranges, and the prices."""
        return {
            "inputs": amounts_in(self.stated),
            "laws": laws_in(self.stated),
            "prices": [pin.as_document() for pin in self.pins],
        }


def drawn_inputs(
    kind: type[T], document: Mapping[str, Any], book: PriceBook, *, path: str, seed: int, n: int
) -> DrawnInputs[T]:
    """Read a `kind` and draw its ranges; raise Invalid with the path of a fault."""
    if not 1 <= n <= DRAWS_MAX or seed < 0:
        text = f"Give 1 to {DRAWS_MAX:,} draws and a seed of zero or more, not {n} and {seed}."
        raise Invalid(text, field="draws")
    pins = PlainPrices(book)
    stated = inputs(kind, Reader(document, path=path), prices=pins, given=GIVEN)
    ranges = ranges_in(stated)
    middle = replaced(stated, {name: each.median for name, each in ranges.items()})
    drawn = replaced(stated, draw_all(ranges, seed=seed, n=n, stream=f"{path}/"))
    return DrawnInputs(stated, middle, drawn, tuple(pins.found))


def call_remarks(option: str, call: ManagedApi | None, pins: Sequence[Pin], book: PriceBook) -> list[dict[str, Any]]:
    """Return the remarks on the models of an option: when they end, and what they charge that is not counted."""
    costings = () if call is None else (managed_cost(call),)
    return [dataclasses.asdict(each) for each in remarks(option, costings, pins, on=book.as_of)]


def usd_document(middle: Number, drawn: Number, places: int = PLACES) -> dict[str, Any]:
    """Return an amount at the medians, and its P10, P50, P80 and P90, as decimal text; null if it is infinite."""
    return {"middle": money(float(middle), places), **money_levels(drawn, places)}


def number_document(middle: Number, drawn: Number) -> dict[str, Any]:
    """Return a number at the medians and its levels; null where there is none."""
    levels: dict[str, Any] = plain({"middle": float(middle), **levels_of(drawn)})
    return levels


def share_of(holds: Number) -> float:
    """Return the share of draws in which something holds."""
    return float(np.mean(holds))
