"""Managed models: the yearly cost of calls, priced by call, by token or by provisioned unit."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, CostLine, Number, line_of
from weighbridge.costs.parts.charges import Charge, charges, is_some, left_out
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, LoadCurve
from weighbridge.costs.parts.usage import ModelPrices, Usage, check_priced
from weighbridge.costs.prices.components import COMPONENTS
from weighbridge.costs.prices.price import Meter
from weighbridge.costs.spec.usd import UsdPerInstanceH, UsdPerRequest
from weighbridge.costs.uncertainty import Amount, Share, check_amounts

SECONDS_PER_MINUTE = 60
PRICE_OF = {each.meter: each.price for each in COMPONENTS}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ManagedApi(Usage):
    """Calls to a managed model, each with the same usage.

    `prices` are those of the model, `{sku: openai/gpt-4o-mini}`, or stated one by one. A request with more input tokens
    than a tier's limit is charged at the tier. `batch_share` of the calls use the batch interface, at the vendor's
    batch prices or at `batch_price_ratio` of the price; `retry_share` of the calls are repeated and paid twice;
    `fee_usd` is charged per call in addition.
    """

    requests_per_year: Amount
    prices: ModelPrices | None = None
    batch_share: Share = 0.0
    batch_price_ratio: Share | None = None
    retry_share: Share = 0.0
    fee_usd: UsdPerRequest = 0.0

    def __post_init__(self) -> None:
        """Refuse calls, quantities and batches without a price."""
        check_amounts(self)
        check_priced(self, self.prices)
        if self.prices is None and isinstance(self.fee_usd, int | float) and self.fee_usd <= 0:
            raise Invalid("A call needs a fee, prices, or both.", field="fee_usd")
        has_batch = self.batch_price_ratio is not None or (self.prices is not None and self.prices.batch is not None)
        if is_some(self.batch_share) and not has_batch:
            text = "The prices have none of the batch interface; leave batch_share at 0, or give batch_price_ratio."
            raise Invalid(text, field="batch_share", code="no_price")


def managed_cost(spec: ManagedApi) -> Costing:
    """Return the yearly cost of calls: N · (1 + retries) · (each component at its price, now and in batches, + fee)."""
    calls: Number = spec.requests_per_year * (1 + spec.retry_share)
    fee = line_of(spec, "fees", calls * spec.fee_usd, "requests_per_year · (1 + retry_share) · fee_usd")
    prices = spec.prices
    if prices is None:
        return Costing((fee,), {"calls": calls})
    found = (*_now(spec, prices, calls), *_in_batches(spec, prices, calls), fee)
    unstated = tuple(each.quantity for each in left_out(prices.rates, _counts(spec, prices)))
    others = tuple(name for name in prices.others if name not in unstated)
    return Costing(found, {"calls": calls}, left_out=(*unstated, *others))


def _counts(spec: Usage, prices: ModelPrices) -> dict[str, Number]:
    """Return the quantities of a request; the request itself is one where the vendor charges it."""
    return {**spec.counts, "requests": 1 if Meter.WHOLE in prices.rates else 0}


def _now(spec: ManagedApi, prices: ModelPrices, calls: Number) -> Iterator[CostLine]:
    """Yield the lines of the calls outside batches."""
    if not is_some(1 - spec.batch_share):
        return
    for charge in charges(prices.rates, _counts(spec, prices)):
        yield _line(charge, charge.component.quantity, calls * (1 - spec.batch_share), prices.factor)


def _in_batches(spec: ManagedApi, prices: ModelPrices, calls: Number) -> Iterator[CostLine]:
    """Yield the lines of batches, at the stated ratio or at the vendor's batch prices. Fees have no ratio."""
    if not is_some(spec.batch_share):
        return
    batch = prices if prices.batch is None or spec.batch_price_ratio is not None else prices.batch
    for charge in charges(batch.rates, _counts(spec, batch)):
        has_ratio = spec.batch_price_ratio is not None and not charge.component.is_fee
        factor: Number = prices.factor * (spec.batch_price_ratio if has_ratio else 1)
        yield _line(charge, f"{charge.component.quantity} in batches", calls * spec.batch_share, factor)


def _line(charge: Charge, name: str, calls: Number, factor: Number) -> CostLine:
    quantity, price = charge.component.quantity, PRICE_OF[charge.meter]
    unit = charge.component.per_unit
    formula = f"calls · {quantity} · {price} · factor" + (f" / {unit:,}" if unit > 1 else "")
    terms = {"calls": calls, quantity: charge.count, price: charge.unit_usd, "factor": factor}
    return CostLine(name, calls * charge.usd * factor, formula, terms)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provisioned:
    """Reserved throughput in units; each unit serves a number of tokens per minute and is paid every hour."""

    tokens_per_request: Amount
    tokens_per_minute_per_unit: float
    usd_per_unit_h: UsdPerInstanceH
    least_units: int = 1
    volume: Amount = 1.0

    def __post_init__(self) -> None:
        """Validate the amounts; a unit needs a positive throughput."""
        if self.tokens_per_minute_per_unit <= 0 or not math.isfinite(self.tokens_per_minute_per_unit):
            text = "A unit must serve a positive number of tokens per minute."
            raise Invalid(text, field="tokens_per_minute_per_unit")
        check_amounts(self)


def provisioned_cost(curve: LoadCurve, spec: Provisioned) -> Costing:
    """Return the yearly cost of provisioned throughput: units for the peak hour, paid every hour, used or not.

    units = ceil(peak tokens per minute / tokens per minute of a unit); year = units · price · 8760.
    """
    peak: Number = curve.peak_per_s * SECONDS_PER_MINUTE * spec.tokens_per_request * spec.volume
    units: Number = np.maximum(np.ceil(peak / spec.tokens_per_minute_per_unit), spec.least_units)
    line = line_of(
        spec,
        "provisioned",
        units * spec.usd_per_unit_h * HOURS_PER_YEAR,
        "units · usd_per_unit_h · 8760",
        units=units,
        peak_tokens_per_minute=peak,
    )
    return Costing((line,), {"units": units})
