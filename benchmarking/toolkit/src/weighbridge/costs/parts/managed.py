"""Managed models: the yearly cost of calls, priced by call, by token or by provisioned unit."""

import dataclasses
import math

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, Number, line_of
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, LoadCurve
from weighbridge.costs.spec.usd import UsdPerInstanceH, UsdPerMillionTokens, UsdPerRequest
from weighbridge.costs.uncertainty import Amount, check_amounts

TOKENS_PER_PRICE = 1_000_000
SECONDS_PER_MINUTE = 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenPrices:
    """Prices of a language model in US dollars per million tokens; None if the vendor has no such price."""

    input_usd: UsdPerMillionTokens
    output_usd: UsdPerMillionTokens
    cache_read_usd: UsdPerMillionTokens | None = None

    def __post_init__(self) -> None:
        """Validate the prices."""
        check_amounts(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ManagedApi:
    """Calls to a managed model. `cached_share` of the input tokens is read from the vendor's cache.

    `batch_share` of the calls use the batch interface at `batch_price_ratio` of the price; `retry_share` of the calls
    are repeated and paid twice; `fee_usd` is charged per call, in addition to tokens.
    """

    requests_per_year: Amount
    prices: TokenPrices | None = None
    input_tokens: Amount = 0.0
    output_tokens: Amount = 0.0
    cached_share: float = 0.0
    batch_share: float = 0.0
    batch_price_ratio: float = 0.5
    retry_share: Amount = 0.0
    fee_usd: UsdPerRequest = 0.0

    def __post_init__(self) -> None:
        """Refuse invalid shares, cached tokens without a price, and calls without a price."""
        check_amounts(self)
        for name in ("cached_share", "batch_share", "batch_price_ratio"):
            if not 0 <= getattr(self, name) <= 1:
                raise Invalid(f"{name} must be a share between 0 and 1.", field=name)
        if self.cached_share and (self.prices is None or self.prices.cache_read_usd is None):
            raise Invalid("The vendor has no price for cached tokens; leave cached_share at 0.", field="cached_share")
        if self.prices is None and isinstance(self.fee_usd, int | float) and self.fee_usd <= 0:
            raise Invalid("A call needs a fee, token prices, or both.", field="fee_usd")


def managed_cost(spec: ManagedApi) -> Costing:
    """Return the yearly cost of calls: N · (1 + retries) · (tokens at their prices · batch + fee)."""
    tokens: Number = 0.0
    if spec.prices is not None:
        fresh = spec.input_tokens * (1 - spec.cached_share)
        cached = spec.input_tokens * spec.cached_share
        read_usd = 0.0 if spec.prices.cache_read_usd is None else spec.prices.cache_read_usd
        tokens = (
            fresh * spec.prices.input_usd + cached * read_usd + spec.output_tokens * spec.prices.output_usd
        ) / TOKENS_PER_PRICE
    ratio = 1 - spec.batch_share * (1 - spec.batch_price_ratio)
    calls: Number = spec.requests_per_year * (1 + spec.retry_share)
    lines = (
        line_of(
            spec,
            "tokens",
            calls * tokens * ratio,
            "requests_per_year · (1 + retry_share) · usd_of_tokens · batch_ratio",
            usd_of_tokens=tokens,
            batch_ratio=ratio,
            input_tokens=spec.input_tokens,
            output_tokens=spec.output_tokens,
            cached_share=spec.cached_share,
        ),
        line_of(spec, "fees", calls * spec.fee_usd, "requests_per_year · (1 + retry_share) · fee_usd"),
    )
    return Costing(lines, {"calls": calls})


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
