"""Serving: the yearly cost of inference on self-hosted replicas, sized hour by hour for a response limit."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, CostLine, Number, line_of, part
from weighbridge.costs.parts.load_curve import HOURS_PER_YEAR, LoadCurve
from weighbridge.costs.parts.queueing import can_serve, check_served, enough, highest_loads_of
from weighbridge.costs.spec.usd import UsdPerInstanceH
from weighbridge.costs.uncertainty import Amount, check_amounts, check_positive, check_share

# Drawn service times are rounded up to these steps per octave (1.1 % apart), so that few tables are needed.
STEPS_PER_OCTAVE = 64
# More distinct rates than this are grouped; each group uses its busiest hour.
LEVELS_MAX = 168
# Up to this number, replicas are counted one by one.
FINE_MAX = 512
COARSE = 1 / 256
BATCHINGS = ("none", "continuous")
CONTINUOUS = "continuous batching"
SUSTAINED = "The replicas follow from the measured tokens per second of one replica within the limit, not from a queue."
UNFIT = (
    "The replicas follow from a queue (M/M/c), which does not fit: the requests of a batch slow one another. With the "
    "service time of an idle server, a queue asks for too few replicas. Measure the highest rate of a replica "
    "(weighbridge load, then weighbridge size), or the tokens per second that it sustains within the limit; give "
    "tokens_per_s and tokens_per_request instead of service_s."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SelfHosted:
    """Replicas of one's own. `service_s` is how long one request keeps one of `slots` busy; `cv` its spread.

    A language model with `batching: continuous` needs the measured `tokens_per_s` that one replica sustains within the
    limit, and the `tokens_per_request`, instead of `service_s`: a queue does not describe it.
    `share` of the requests must be answered within `limit_s`. New replicas serve `lag_h` hours after they are needed.
    `committed_usd_per_h` is the price of a replica that is paid all year, used or not; None where there is none. Of the
    hours beyond, `spot_share` runs at `spot_usd_per_h`, `spot_extra` (0.05: 5 %) more of them for interruptions.
    """

    limit_s: float
    usd_per_replica_h: UsdPerInstanceH
    service_s: Amount | None = None
    batching: str = "none"
    tokens_per_s: Amount | None = None
    tokens_per_request: Amount | None = None
    slots: int = 1
    cv: float = 1.0
    share: float = 0.95
    min_replicas: int = 2
    burst: float = 1.0
    lag_h: int = 1
    volume: Amount = 1.0
    committed_usd_per_h: UsdPerInstanceH | None = None
    spot_usd_per_h: UsdPerInstanceH | None = None
    spot_share: float = 0.0
    spot_extra: Amount = 0.0

    def __post_init__(self) -> None:
        """Validate the inputs."""
        check_amounts(self)
        check_positive(self, "service_s", "tokens_per_s")
        self._check_speed()
        for name, least in (("slots", 1), ("min_replicas", 0), ("lag_h", 0), ("burst", 1), ("cv", 0)):
            if getattr(self, name) < least:
                raise Invalid(f"{name} must be at least {least}, not {getattr(self, name):g}.", field=name)
        if not 0 < self.share < 1:
            raise Invalid("The share of requests within the limit must be between 0 and 1.", field="share")
        if self.limit_s <= 0:
            raise Invalid("The limit must be positive.", field="limit_s")
        check_share(self, "spot_share")
        if self.spot_share and self.spot_usd_per_h is None:
            raise Invalid("A share on spot capacity needs a spot price.", field="spot_usd_per_h")

    def _check_speed(self) -> None:
        if self.batching not in BATCHINGS:
            raise Invalid(f"batching must be {' or '.join(BATCHINGS)}, not {self.batching!r}.", field="batching")
        if (self.service_s is None) == (self.tokens_per_s is None):
            text = "Give service_s, or tokens_per_s for continuous batching, but not both."
            raise Invalid(text, field="service_s")
        if (self.tokens_per_s is None) != (self.tokens_per_request is None):
            raise Invalid("tokens_per_s and tokens_per_request belong together.", field="tokens_per_request")


@dataclasses.dataclass(frozen=True)
class Sizing:
    """Replicas at each load level, (n,) or (draws, n), and the hours (n,) of a year at each level.

    A draw whose service time exceeds the limit needs an infinite number of replicas.
    """

    replicas: NDArray[np.float64]
    hours: NDArray[np.float64]

    @property
    def peak(self) -> Number:
        """Return the highest number of replicas."""
        return self.replicas.max(axis=-1)

    def hours_beyond(self, committed: Number) -> Number:
        """Return the replica hours that `committed` replicas do not cover."""
        return np.maximum(self.replicas - np.asarray(committed)[..., None], 0) @ self.hours

    def cheapest_commitment(self, price_ratio: Number) -> Number:
        """Return how many replicas to commit for the year if a committed hour costs `price_ratio` of an on-demand hour.

        Newsvendor rule: commit the k-th replica if the share of hours that need it is above the ratio.
        """
        order = np.argsort(-self.replicas, axis=-1, kind="stable")
        busiest = np.take_along_axis(self.replicas, order, axis=-1)
        shares = np.cumsum(self.hours[order], axis=-1) / self.hours.sum()
        is_worth_it = shares > np.asarray(price_ratio)[..., None]
        first = np.argmax(is_worth_it, axis=-1)[..., None]
        chosen = np.take_along_axis(busiest, first, axis=-1)[..., 0]
        return np.where(is_worth_it.any(axis=-1) & np.isfinite(chosen), chosen, 0.0)


def size(curve: LoadCurve, spec: SelfHosted) -> Sizing:
    """Return the replicas for each load level of the year.

    Each hour is sized for the larger of its rate and the rate `lag_h` hours later, times `burst`, times `volume`. More
    than 168 distinct rates are grouped in order; each group uses its busiest. With measured tokens per second, the
    replicas are the tokens per second of the load divided by those of a replica.
    """
    later = np.roll(curve.rates_per_s, -spec.lag_h)
    rates, hours = _levels(np.maximum(curve.rates_per_s, later) * spec.burst, curve.hours)
    if spec.tokens_per_s is not None:
        load = np.asarray(spec.volume * spec.tokens_per_request / spec.tokens_per_s)[..., None] * rates
        return Sizing(np.maximum(np.ceil(load), spec.min_replicas), hours)
    service, volume = np.broadcast_arrays(
        np.atleast_1d(np.asarray(spec.service_s, dtype=np.float64)),
        np.atleast_1d(np.asarray(spec.volume, dtype=np.float64)),
    )
    check_served(float(np.median(service)), limit_s=spec.limit_s, share=spec.share, cv=spec.cv)
    rounded = 2 ** (np.ceil(np.log2(service) * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE) if len(service) > 1 else service
    replicas = np.full((len(service), len(rates)), np.inf)
    kinds, which = np.unique(rounded, return_inverse=True)
    kinds = kinds[[can_serve(float(kind), limit_s=spec.limit_s, share=spec.share, cv=spec.cv) for kind in kinds]]
    counts, loads = _capacities(spec, kinds, float(rates.max() * volume.max()))
    for kind, service_s in enumerate(kinds):
        rows = np.flatnonzero(which == kind)
        offered = volume[rows, None] * (rates * service_s)
        replicas[rows] = counts[np.searchsorted(loads[kind], offered, side="left")]
    return Sizing(replicas if len(service) > 1 else replicas[0], hours)


def _capacities(
    spec: SelfHosted, services_s: NDArray[np.float64], peak_per_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return numbers of replicas, and the load (Erlang) that each serves for each service time; none serve no load.

    From 512 replicas on, the numbers increase in steps of 1/256, so that few are computed.
    """
    slowest = float(services_s.max())
    most = enough(peak_per_s * slowest, service_s=slowest, limit_s=spec.limit_s, share=spec.share, cv=spec.cv)
    last = math.ceil(most / spec.slots)
    fine = np.arange(1.0, min(last, FINE_MAX) + 1)
    steps = math.ceil(math.log(max(last / FINE_MAX, 1)) / math.log1p(COARSE))
    coarse = np.ceil(FINE_MAX * (1 + COARSE) ** np.arange(1, steps + 1))
    counts = np.concatenate([fine, coarse])
    loads = highest_loads_of(counts * spec.slots, services_s, limit_s=spec.limit_s, share=spec.share, cv=spec.cv)
    least = np.maximum(np.concatenate([[0.0], counts]), spec.min_replicas)
    return least, np.hstack([np.zeros((len(services_s), 1)), loads])


def serving_cost(curve: LoadCurve, spec: SelfHosted) -> Costing:
    """Return the yearly compute cost: committed replicas all year, and the rest on demand.

    Quantities: replica hours, peak replicas, committed replicas, the cost of the peak all year, and the share of draws
    that no number of replicas can serve, whose cost is infinite. Raises Invalid if the median cannot be served.
    """
    sizing = size(curve, spec)
    replica_h: Number = sizing.replicas @ sizing.hours
    committed: Number = np.zeros(sizing.replicas.shape[:-1])
    beyond_h = replica_h
    if spec.committed_usd_per_h is not None:
        committed = sizing.cheapest_commitment(spec.committed_usd_per_h / _burst_usd(spec))
        beyond_h = sizing.hours_beyond(committed)
    peak = sizing.peak
    quantities = {
        "replica_hours": replica_h,
        "peak_replicas": peak,
        "committed_replicas": committed,
        "always_at_peak_usd": peak * HOURS_PER_YEAR * spec.usd_per_replica_h,
        "unserved_probability": float(np.isinf(peak).mean()),
    }
    return Costing(_lines(spec, committed, beyond_h), quantities, notes=_notes(spec))


def _notes(spec: SelfHosted) -> dict[str, str]:
    """Return what must be said about the sizing of a language model."""
    if spec.tokens_per_s is not None:
        return {CONTINUOUS: SUSTAINED}
    return {CONTINUOUS: UNFIT} if spec.batching == "continuous" else {}


def _burst_usd(spec: SelfHosted) -> Number:
    """Return the price of a replica hour that no commitment covers."""
    spot: Number = spec.spot_share * _or_nothing(spec.spot_usd_per_h) * (1 + spec.spot_extra)
    return (1 - spec.spot_share) * spec.usd_per_replica_h + spot


def _lines(spec: SelfHosted, committed: Number, beyond_h: Number) -> tuple[CostLine, ...]:
    on_demand_h = part(beyond_h, 1 - spec.spot_share)
    spot_h: Number = part(beyond_h, spec.spot_share) * (1 + spec.spot_extra)
    return (
        line_of(
            spec,
            "committed",
            committed * HOURS_PER_YEAR * _or_nothing(spec.committed_usd_per_h),
            "committed_replicas · 8760 · committed_usd_per_h",
            committed_replicas=committed,
        ),
        line_of(
            spec,
            "on demand",
            on_demand_h * spec.usd_per_replica_h,
            "replica_hours · usd_per_replica_h",
            replica_hours=on_demand_h,
        ),
        line_of(
            spec,
            "spot",
            spot_h * _or_nothing(spec.spot_usd_per_h),
            "spot_replica_hours · spot_usd_per_h",
            spot_replica_hours=spot_h,
        ),
    )


def _or_nothing(usd: Number | None) -> Number:
    return 0.0 if usd is None else usd


def cost_per_1k_usd(annual_usd: Number, requests_per_year: Number) -> Number:
    """Return the cost of 1,000 inferences."""
    return annual_usd / requests_per_year * 1_000


def _levels(rates: NDArray[np.float64], hours: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct rates, the busiest first, and their hours; above 168, neighbors are grouped."""
    distinct, counts = np.unique(rates, return_counts=True)
    levels, lasting = distinct[::-1], np.asarray(counts[::-1] * hours, dtype=np.float64)
    if len(levels) <= LEVELS_MAX:
        return levels, lasting
    groups = np.array_split(np.arange(len(rates)), LEVELS_MAX)
    falling = np.sort(rates)[::-1]
    return np.array([falling[group[0]] for group in groups]), np.array([len(group) * hours for group in groups])
