"""What sizing starts from: runs of one replica at several rates, each with the share of good requests.

A request is good if it was answered within all limits. Requests that failed, were truncated or timed out are not good.
"""

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from weighbridge.core.errors import Invalid

RUNS_MAX = 1_000
RATES_MAX = 50
BLOCKS_MAX = 1_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """One run: offered rate (1/s), share of its `n` due requests that were good, seed of its schedule.

    `blocks` are the good shares of parts of the run, in order of time; empty if unknown. Raises Invalid for a rate that
    is not positive, a share outside 0 to 1, and a run without requests.
    """

    rate_per_s: float
    share: float
    n: int
    seed: int
    blocks: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Validate the numbers."""
        if not (math.isfinite(self.rate_per_s) and self.rate_per_s > 0):
            raise Invalid("The rate of a run must be a positive number of requests per second.", field="rate")
        if not all(0 <= share <= 1 for share in (self.share, *self.blocks)):
            raise Invalid("The share of good requests must be between 0 and 1.", field="good")
        if self.n < 1:
            raise Invalid("A run needs at least one request.", field="n")
        if len(self.blocks) > BLOCKS_MAX:
            raise Invalid(f"A run may have at most {BLOCKS_MAX:,} blocks.", field="blocks")


@dataclasses.dataclass(frozen=True)
class RunsAtRate:
    """All runs at one rate, each with a seed of its own."""

    rate_per_s: float
    runs: tuple[MeasuredRun, ...]

    @property
    def seeds(self) -> int:
        """Return the number of different schedules."""
        return len(self.runs)

    @property
    def requests(self) -> int:
        """Return the number of requests of all runs."""
        return sum(run.n for run in self.runs)

    @property
    def share(self) -> float:
        """Return the share of good requests over all runs."""
        return sum(run.share * run.n for run in self.runs) / self.requests


def runs_by_rate(runs: Sequence[MeasuredRun]) -> tuple[RunsAtRate, ...]:
    """Return the runs of each rate, the lowest rate first; runs with the same rate and seed become one run.

    Two runs on one schedule do not show how much runs differ. Raises Invalid for no runs, more than 1,000, or more than
    50 different rates.
    """
    if not runs:
        raise Invalid("Sizing needs runs at several rates; there are none.", code="runs_missing", field="runs")
    if len(runs) > RUNS_MAX:
        raise Invalid(f"At most {RUNS_MAX:,} runs can be read, not {len(runs):,}.", code="runs_many", field="runs")
    by_rate: defaultdict[float, defaultdict[int, list[MeasuredRun]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        by_rate[run.rate_per_s][run.seed].append(run)
    if len(by_rate) > RATES_MAX:
        text = f"At most {RATES_MAX} different rates can be read, not {len(by_rate)}; repeat rates with other seeds."
        raise Invalid(text, code="rates_many", field="runs")
    return tuple(RunsAtRate(rate, tuple(map(_joined, by_rate[rate].values()))) for rate in sorted(by_rate))


def _joined(runs: Iterable[MeasuredRun]) -> MeasuredRun:
    first, *others = runs
    if not others:
        return first
    n = sum(run.n for run in (first, *others))
    share = sum(run.share * run.n for run in (first, *others)) / n
    # The average of the shares of the runs can be a rounding error above one.
    return dataclasses.replace(first, share=min(share, 1.0), n=n, blocks=())
