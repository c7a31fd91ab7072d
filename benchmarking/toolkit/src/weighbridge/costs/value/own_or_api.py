"""An own server or an API: what a request costs on either, and the volume above which the own server is cheaper.

One replica serves `goodput` requests per second within all limits, so at most 3,600 goodput requests per hour, of which
the share `utilization` is used on average:

    USD per request = hourly / (3600 goodput utilization)

From an API, a request costs c whatever the volume. Own servers cost n h an hour for n replicas, and f for what does not
depend on the volume, so that n replicas are cheaper between (n h + f) / c and n capacity requests per hour, if that is
not empty. Below one replica's share, the API is cheaper; if c capacity is not above h, it always is.

The functions take numbers or draws. Hours are those of a month of 730.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.parts.charges import is_some
from weighbridge.costs.parts.managed import ManagedApi
from weighbridge.costs.prices.components import COMPONENTS
from weighbridge.costs.prices.price import PriceUnit
from weighbridge.costs.spec.usd import UsdPerInstanceH
from weighbridge.costs.uncertainty import Amount, Draws, Range, Share, check_amounts, check_positive
from weighbridge.costs.value.accepted_answers import divided

TOKENS = tuple(each for each in COMPONENTS if each.unit is PriceUnit.MILLION_TOKENS)
INPUTS = tuple(each.quantity for each in TOKENS if each.is_input_token)
OUTPUTS = tuple(each.quantity for each in TOKENS if not each.is_input_token)
SECONDS_PER_HOUR, HOURS_PER_MONTH, MILLION = 3600, 730, 1_000_000
REPLICAS_MAX = 1_000_000
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnServer:
    """Own replicas, each with a goodput that a load test measured: requests per second within all limits.

    `utilization` is the mean demand over the capacity of the running replicas; `highest_utilization` is the share of
    the capacity above which one more replica is started. `fixed_usd_per_month` is what is paid at any volume, such as
    people. `least_replicas` run at all times. A request has `input_tokens` and `output_tokens`; 0 stands for those of
    the API, although another tokenizer counts the same text differently.
    """

    usd_per_replica_h: UsdPerInstanceH
    goodput_per_s: Amount
    utilization: Share
    highest_utilization: Share = 1.0
    fixed_usd_per_month: Amount = 0.0
    least_replicas: int = 1
    input_tokens: Amount = 0.0
    output_tokens: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the amounts; a divisor is above zero."""
        check_amounts(self)
        check_positive(self, "goodput_per_s", "utilization", "highest_utilization")
        if not 1 <= self.least_replicas <= REPLICAS_MAX:
            raise Invalid(f"least_replicas must be 1 to {REPLICAS_MAX:,}.", field="least_replicas")

    @property
    def requests_per_h(self) -> Number:
        """The requests of an hour at the mean utilization of one replica."""
        return self.goodput_per_s * SECONDS_PER_HOUR * self.utilization

    @property
    def usd_per_request(self) -> Number:
        """What a request costs at the mean utilization, the fixed costs aside."""
        return self.usd_per_replica_h / self.requests_per_h

    @property
    def capacity_per_h(self) -> Number:
        """The requests per hour that one replica takes before another one is started."""
        return self.goodput_per_s * SECONDS_PER_HOUR * self.highest_utilization

    @property
    def fixed_usd_per_h(self) -> Number:
        """The fixed costs of an hour."""
        return self.fixed_usd_per_month / HOURS_PER_MONTH

    def replicas_at(self, volume_per_h: Number) -> Number:
        """Return the replicas for this volume; they are started one by one."""
        return np.maximum(np.ceil(volume_per_h / self.capacity_per_h), self.least_replicas)

    def usd_per_h(self, volume_per_h: Number) -> Number:
        """Return what an hour of this volume costs."""
        return self.replicas_at(volume_per_h) * self.usd_per_replica_h + self.fixed_usd_per_h


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnOrApi:
    """An own server, and an API for the same requests if there is one to compare."""

    own: OwnServer
    api: ManagedApi | None = None

    def __post_init__(self) -> None:
        """Refuse requests whose output tokens nobody states: the cost is divided by them."""
        if not is_some(self.own.output_tokens) and (self.api is None or not is_some(tokens_of(self.api, OUTPUTS))):
            raise Invalid("State the output tokens of a request.", field="own.output_tokens")

    @property
    def output_tokens(self) -> Number:
        """The output tokens of a request on the own server."""
        return self._stated(self.own.output_tokens, OUTPUTS)

    @property
    def all_tokens(self) -> Number:
        """The input and output tokens of a request on the own server."""
        return self._stated(self.own.input_tokens, INPUTS) + self.output_tokens

    def _stated(self, own: Number, quantities: tuple[str, ...]) -> Number:
        return own if is_some(own) or self.api is None else tokens_of(self.api, quantities)


def tokens_of(api: ManagedApi, quantities: tuple[str, ...]) -> Number:
    """Return the sum of these quantities of a request."""
    stated = [api.counts[each] for each in quantities if is_some(api.counts[each])]
    return sum(middle_or_draws(each) for each in stated)


def middle_or_draws(amount: Amount) -> Number:
    """Return the median of a range; numbers and draws as they are."""
    return amount.median if isinstance(amount, Range) else amount


def usd_per_million(usd_per_request: Number, tokens: Number) -> Number:
    """Return US dollars per million tokens; `tokens` are those of a request that divide: output ones, or all."""
    return usd_per_request * MILLION / tokens


@dataclasses.dataclass(frozen=True)
class BreakEven:
    """Where own servers become cheaper: requests per hour, replicas there, and whether a draw has such a volume.

    `stays_per_h` is the volume from which they are cheaper at every higher one: between the two, one more replica makes
    the API cheaper again. NaN where there is none.
    """

    per_h: Draws
    replicas: Draws
    stays_per_h: Draws
    utilization: Draws

    @property
    def exists(self) -> NDArray[np.bool_]:
        """Whether a draw has a break-even."""
        return np.isfinite(self.per_h)


def break_even(own: OwnServer, api_usd_per_request: Number) -> BreakEven:
    """Return the lowest volume at which own servers cost what the API costs, with the fewest replicas that reach it.

    With n replicas: v = (n h + f) / c, possible if v <= n capacity, so n >= f / (c capacity - h). From
    n >= (h + f) / (c capacity - h), the next replica costs less than the API charges for the requests before it.
    """
    hourly, fixed, per_request, capacity = (
        np.atleast_1d(np.asarray(each, dtype=np.float64))
        for each in (own.usd_per_replica_h, own.fixed_usd_per_h, api_usd_per_request, own.capacity_per_h)
    )
    margin = per_request * capacity - hourly
    first = _replicas(fixed, margin, least=own.least_replicas)
    lasting = _replicas(fixed + hourly, margin, least=own.least_replicas)
    per_h = divided(first * hourly + fixed, per_request, otherwise=math.nan)
    stays = divided(lasting * hourly + fixed, per_request, otherwise=math.nan)
    return BreakEven(per_h, first, stays, per_h / (first * own.goodput_per_s * SECONDS_PER_HOUR))


def _replicas(cost: NDArray[np.float64], margin: NDArray[np.float64], *, least: int) -> NDArray[np.float64]:
    """The fewest replicas whose margin over the API pays the cost; NaN where there is none.

    A margin of zero pays for nothing, and reaches the API exactly at the full capacity if there is nothing to pay.
    """
    needed = np.ceil(divided(cost, margin, otherwise=math.nan))
    free = (cost == 0) & (margin == 0)
    found = np.maximum(np.where(free, 1.0, needed), least)
    return np.where(found <= REPLICAS_MAX, found, math.nan)


def cheaper_share(own: OwnServer, api_usd_per_request: Number, volumes_per_h: NDArray[np.float64]) -> tuple[float, ...]:
    """Return, for each volume, the share of draws in which own servers cost less than the API.

    Equal costs that differ by rounding are equal.
    """
    api = np.asarray(api_usd_per_request) * (1 - ROUNDING)
    return tuple(float(np.mean(own.usd_per_h(volume) < api * volume)) for volume in volumes_per_h)
