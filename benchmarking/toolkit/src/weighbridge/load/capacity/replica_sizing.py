"""From the goodput curve of one replica to the number of replicas that a peak needs, with its interval."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.units import share_text
from weighbridge.load.capacity.goodput import TAILS, GoodputCurve
from weighbridge.load.capacity.runs_files import RunsFiles
from weighbridge.measure.verdict import Status, ValidityReason, Verdict

# A model with several rates on each side of the highest one; and runs of each that show how much runs differ.
RATES_MIN, SEEDS_MIN = 5, 3
REPLICAS_MAX = 1_000_000
# The share of draws outside the measured rates from which their end is stated.
OUTSIDE = TAILS[0]
# Means of tokens per request that are closer than this are the same mix of lengths.
SAME_MIX = 0.1


class SizingBasis(StrEnum):
    """Whether the replicas would work within what was measured."""

    MEASURED = "measured"
    EXTRAPOLATED = "extrapolated"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demand:
    """What the replicas must serve: the peak (requests per second), and how.

    `balance` is the part of a replica's highest rate that counts, because sessions load replicas unevenly; `spare`
    replicas are added for failures. `mean_tokens` are the planned tokens per request by name (`input_tokens_mean`).
    """

    peak_per_s: float
    balance: float = 0.9
    spare: int = 1
    mean_tokens: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate the numbers."""
        if not (math.isfinite(self.peak_per_s) and self.peak_per_s > 0):
            raise Invalid("The peak rate must be a positive number of requests per second.", field="peak_rate")
        if not 0 < self.balance <= 1:
            raise Invalid("The balance factor must be above 0 and at most 1, like 0.9.", field="balance")
        if not 0 <= self.spare <= REPLICAS_MAX:
            raise Invalid("The number of spare replicas must be 0 or more.", field="spare")
        for name, tokens in self.mean_tokens.items():
            if not (math.isfinite(tokens) and tokens > 0):
                raise Invalid("The mean number of tokens per request must be positive.", field=name)


@dataclasses.dataclass(frozen=True)
class ReplicaSizing:
    """The replicas for a demand, spare ones included; None where no number of replicas is enough.

    `replicas` follows from the lower bound of the highest rate and is the upper end of the 90 % interval `fewest` to
    `replicas`. P10, P50 and P90 are those of the draws.
    """

    demand: Demand
    curve: GoodputCurve
    replicas: int | None
    fewest: int | None
    p10: int | None
    p50: int | None
    p90: int | None
    basis: SizingBasis
    verdict: Verdict


def size_for(curve: GoodputCurve, demand: Demand, source: RunsFiles) -> ReplicaSizing:
    """Return ceil(peak / (highest rate · balance)) + spare, for the lower bound of the highest rate and its quantiles.

    `source` says what else is known of the runs. Raises Invalid above 1,000,000 replicas.
    """

    def replicas_at(p: float) -> int | None:
        return replicas_for(curve.rate_quantile(p), demand)

    replicas = replicas_at(TAILS[0])
    outside = (*_below(curve, demand, replicas), *_other_mix(demand, source.mean_tokens))
    reasons = (*_too_few(curve), *_doubts(source), *_ends(curve), *outside)
    return ReplicaSizing(
        demand=demand,
        curve=curve,
        replicas=replicas,
        fewest=replicas_at(TAILS[2]),
        p10=replicas_at(0.9),
        p50=replicas_at(0.5),
        p90=replicas_at(0.1),
        basis=SizingBasis.EXTRAPOLATED if outside else SizingBasis.MEASURED,
        verdict=Verdict(reasons),
    )


def replicas_for(rate_per_s: float, demand: Demand) -> int | None:
    """Return the replicas of which each serves `rate_per_s`; None if that is 0."""
    if rate_per_s <= 0:
        return None
    exact = demand.peak_per_s / (rate_per_s * demand.balance)
    if exact > REPLICAS_MAX:
        text = f"The peak needs more than {REPLICAS_MAX:,} replicas; check the rates and the peak rate."
        raise Invalid(text, code="replicas_many", field="peak_rate")
    # A peak that is a multiple of the rate needs no further replica for a rounding error.
    return math.ceil(exact * (1 - 1e-12)) + demand.spare


def _too_few(curve: GoodputCurve) -> Iterator[ValidityReason]:
    rates = len(curve.groups)
    if rates < RATES_MIN:
        text = f"Only {rates} rates were measured; use {RATES_MIN} or more, from 0.3 to 1.2 of the highest."
        yield ValidityReason("rates.few", Status.INDICATIVE, text)
    near = [curve.groups[place] for place in sorted(set(curve.edge))]
    fewest = min(near, key=lambda group: group.seeds)
    if fewest.seeds < SEEDS_MIN:
        text = (
            f"Near the highest rate, at {fewest.rate_per_s:g} per second, the runs have {fewest.seeds} "
            f"{'seed' if fewest.seeds == 1 else 'seeds'}; one run can be far better or worse than the next. The "
            f"interval assumes the differences of simulated servers. Repeat this rate with {SEEDS_MIN} seeds or more."
        )
        yield ValidityReason("runs.one_seed" if fewest.seeds == 1 else "runs.few_seeds", Status.INDICATIVE, text)


def _ends(curve: GoodputCurve) -> Iterator[ValidityReason]:
    never, last = float((curve.highest_rates_per_s == 0).mean()), curve.groups[-1].rate_per_s
    if never > OUTSIDE:
        text = (
            f"In {share_text(never)} of the draws, less than {curve.target:.0%} of the requests are good even at "
            f"{curve.groups[0].rate_per_s:g} per second, the lowest measured rate: no number of replicas is shown to "
            "be enough. Measure lower rates; if they miss the target too, relax the limits or serve a faster model."
        )
        yield ValidityReason("target.missed", Status.INVALID, text)
    if curve.beyond > OUTSIDE:
        text = (
            f"In {share_text(curve.beyond)} of the draws, even {last:g} per second, the highest measured rate, meets "
            "the target: the highest rate of a replica was not found. Fewer replicas may be enough. Measure higher "
            "rates."
        )
        yield ValidityReason("rate.not_found", Status.INDICATIVE, text)


def _doubts(source: RunsFiles) -> Iterator[ValidityReason]:
    if source.doubts:
        text = f"Some runs are only indicative: {', '.join(source.doubts)}."
        yield ValidityReason("runs.indicative", Status.INDICATIVE, text)


def _below(curve: GoodputCurve, demand: Demand, replicas: int | None) -> Iterator[ValidityReason]:
    lowest = curve.groups[0].rate_per_s
    if replicas is not None and demand.peak_per_s / (replicas - demand.spare) < lowest:
        text = (
            f"Each replica would serve {demand.peak_per_s / (replicas - demand.spare):.3g} requests per second, below "
            f"{lowest:g}, the lowest measured rate: the share of good requests there is extrapolated."
        )
        yield ValidityReason("rate.extrapolated", Status.INDICATIVE, text)


def _other_mix(demand: Demand, measured: Mapping[str, float]) -> Iterator[ValidityReason]:
    for name, planned in demand.mean_tokens.items():
        tokens, words = measured.get(name), name.replace("_mean", "").replace("_", " ")
        if tokens is None:
            text = f"The runs do not state their {words} per request, so that the planned {planned:g} are extrapolated."
            yield ValidityReason("workload.unknown", Status.INDICATIVE, text)
        elif not np.isclose(planned, tokens, rtol=SAME_MIX):
            text = (
                f"The plan has {planned:g} {words} per request, the runs had {tokens:g}: the capacity of a replica "
                "with another mix of lengths is extrapolated. Measure with the planned mix."
            )
            yield ValidityReason("workload.differs", Status.INDICATIVE, text)
