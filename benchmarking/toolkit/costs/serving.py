"""Serving: what a year of inference costs on one's own replicas, sized hour by hour for a response limit."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from benchmarking.toolkit.costs.lines import Costing, Line, Number
from benchmarking.toolkit.costs.load_curve import HOURS_PER_YEAR, LoadCurve
from benchmarking.toolkit.costs.queueing import can_serve, check_served, servers_needed
from benchmarking.toolkit.costs.uncertainty import Amount, check_amounts
from governance.domain.refusals import Invalid

# A drawn service time is rounded up to the next of these steps per octave, 1.1 % apart, so that few tables are needed.
STEPS_PER_OCTAVE = 64
# Many hours are taken together to this many load levels, each by its busiest hour.
LEVELS_MAX = 168


@dataclasses.dataclass(frozen=True, kw_only=True)
class SelfHosted:
    """Replicas of one's own. `service_s` is how long one request keeps one of `slots` busy; `cv` its spread.

    `share` of the requests must be answered within `limit_s`. New replicas serve `lag_h` hours after they are needed.
    `committed_usd_per_h` is the price of a replica that is paid all year, used or not; None where there is none.
    """

    service_s: Amount
    limit_s: float
    usd_per_replica_h: Amount
    slots: int = 1
    cv: float = 1.0
    share: float = 0.95
    min_replicas: int = 2
    burst: float = 1.0
    lag_h: int = 1
    volume: Amount = 1.0
    committed_usd_per_h: Amount | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot serve."""
        check_amounts(self, "service_s", "usd_per_replica_h", "volume")
        if self.slots < 1 or self.min_replicas < 0 or self.lag_h < 0:
            raise Invalid("Slots are at least 1; replicas and lag are not negative.", field="slots")
        if not 0 < self.share < 1:
            raise Invalid("The share of requests within the limit lies between 0 and 1.", field="share")
        if self.limit_s <= 0 or self.burst < 1 or self.cv < 0:
            raise Invalid("The limit is positive, the burst at least 1, the spread not negative.", field="limit_ms")


@dataclasses.dataclass(frozen=True)
class Sizing:
    """Replicas at each load level, (n,) or (draws, n), and the hours (n,) of a year that each level lasts.

    A draw whose service alone takes longer than the limit needs infinitely many.
    """

    replicas: NDArray[np.float64]
    hours: NDArray[np.float64]

    @property
    def peak(self) -> Number:
        """Return the most replicas at once."""
        return self.replicas.max(axis=-1)

    def hours_beyond(self, committed: Number) -> Number:
        """Return the replica hours that `committed` replicas do not cover."""
        return np.maximum(self.replicas - np.asarray(committed)[..., None], 0) @ self.hours

    def cheapest_commitment(self, price_ratio: Number) -> Number:
        """Return how many replicas to pay for all year, where a committed hour costs `price_ratio` of one on demand.

        The newsvendor's rule: the k-th replica is committed if the share of hours that need it is above the ratio.
        """
        order = np.argsort(-self.replicas, axis=-1, kind="stable")
        busiest = np.take_along_axis(self.replicas, order, axis=-1)
        shares = np.cumsum(self.hours[order], axis=-1) / self.hours.sum()
        is_worth_it = shares > np.asarray(price_ratio)[..., None]
        first = np.argmax(is_worth_it, axis=-1)[..., None]
        chosen = np.take_along_axis(busiest, first, axis=-1)[..., 0]
        return np.where(is_worth_it.any(axis=-1) & np.isfinite(chosen), chosen, 0.0)


def size(curve: LoadCurve, spec: SelfHosted) -> Sizing:
    """Return the replicas of each load level of the year.

    Each hour is sized for the larger of its rate and that of `lag_h` hours later, times `burst`, times `volume`. More
    than 168 hours are taken together in order of their rate, each group by its busiest.
    """
    later = np.roll(curve.rates_per_s, -spec.lag_h)
    rates, hours = _levels(np.maximum(curve.rates_per_s, later) * spec.burst, curve.hours)
    service, volume = np.broadcast_arrays(
        np.atleast_1d(np.asarray(spec.service_s, dtype=np.float64)),
        np.atleast_1d(np.asarray(spec.volume, dtype=np.float64)),
    )
    rounded = 2 ** (np.ceil(np.log2(service) * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE) if len(service) > 1 else service
    check_served(float(np.median(service)), limit_s=spec.limit_s, share=spec.share, cv=spec.cv)
    busy = np.full((len(service), len(rates)), np.inf)
    for service_s in np.unique(rounded):
        if can_serve(float(service_s), limit_s=spec.limit_s, share=spec.share, cv=spec.cv):
            rows = rounded == service_s
            offered = volume[rows, None] * rates[None, :] * service_s
            busy[rows] = servers_needed(
                offered, service_s=float(service_s), limit_s=spec.limit_s, share=spec.share, cv=spec.cv
            )  # fmt: skip
    replicas = np.maximum(spec.min_replicas, np.ceil(busy / spec.slots))
    return Sizing(replicas if len(service) > 1 else replicas[0], hours)


def serving_cost(curve: LoadCurve, spec: SelfHosted) -> Costing:
    """Return a year of compute: the committed replicas all year, what they do not cover on demand as it is needed.

    Quantities: replica hours, peak replicas, committed replicas, what the peak would cost all year, and the share of
    draws that no number of replicas serves, which cost infinitely much. Raises Invalid where the median is one of them.
    """
    sizing, price = size(curve, spec), spec.usd_per_replica_h
    committed, committed_price = np.zeros(sizing.replicas.shape[:-1]), spec.committed_usd_per_h
    if committed_price is not None:
        committed = sizing.cheapest_commitment(committed_price / price)
    beyond_h = sizing.hours_beyond(committed)
    lines = (
        Line(
            "committed",
            committed * HOURS_PER_YEAR * (0.0 if committed_price is None else committed_price),
            "committed_replicas · 8760 · committed_usd_per_h",
            {"committed_replicas": committed, "committed_usd_per_h": committed_price},
        ),
        Line(
            "on demand",
            beyond_h * price,
            "replica_hours · usd_per_replica_h",
            {"replica_hours": beyond_h, "usd_per_replica_h": price},
        ),
    )
    quantities = {
        "replica_hours": sizing.replicas @ sizing.hours,
        "peak_replicas": sizing.peak,
        "committed_replicas": committed,
        "always_at_peak_usd": sizing.peak * HOURS_PER_YEAR * price,
        "unserved_probability": float(np.isinf(sizing.peak).mean()),
    }
    return Costing(lines, quantities)


def cost_per_1k_usd(annual_usd: Number, requests_per_year: Number) -> Number:
    """Return what 1,000 inferences cost."""
    return annual_usd / requests_per_year * 1_000


def _levels(rates: NDArray[np.float64], hours: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(rates) <= LEVELS_MAX:
        return rates, np.full(len(rates), hours)
    groups = np.array_split(np.sort(rates)[::-1], LEVELS_MAX)
    return np.array([group[0] for group in groups]), np.array([len(group) * hours for group in groups])
