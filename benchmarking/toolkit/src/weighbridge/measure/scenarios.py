"""Scenarios: frozen settings of a measurement, with MLPerf's names and one headline metric each.

In scope: how many samples, for how long, after which warm-up, on how many threads of which engine, with which seed.
Not in scope: what a model is, what its data look like, how answers are scored, whether a result is good enough.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from weighbridge.core.converter import CONVERTER
from weighbridge.core.errors import Invalid

PROVIDERS: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
OPTIMIZATIONS = ("none", "basic", "extended", "all")
HIGHEST_RATE_PER_S = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class WarmUp:
    """How a model is brought to its working temperature before anything is recorded.

    The two-halves test looks at the latest `values`; each is the mean of as many inferences as take `value_ms`, so that
    the clock's resolution does not decide. After `max_duration_s` the measurement starts anyway and its verdict says
    that the warm-up never settled.
    """

    values: int = 40
    value_ms: float = 1.0
    max_duration_s: float = 15.0

    def __post_init__(self) -> None:
        """Refuse settings with which the two-halves test could not run."""
        if self.values < 10:
            raise Invalid("The two-halves test needs at least 10 values.", field="values")
        if self.value_ms < 0:
            raise Invalid("A warm-up value cannot take less than no time.", field="value_ms")
        if self.max_duration_s <= 0:
            raise Invalid("The longest warm-up must be a positive number of seconds.", field="max_duration_s")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """What every scenario has: how much is asked, for how long, after which warm-up, on how many threads.

    A run ends when both `min_samples` timed queries and `min_duration_s` are reached, or at `max_duration_s` with what
    there is. `rows` is the number of rows in one query, `workers` how many queries are asked at a time.
    """

    NAME: ClassVar[str] = ""
    HEADLINE: ClassVar[str] = ""

    min_samples: int = 3_000
    min_duration_s: float = 2.0
    max_duration_s: float = 240.0
    warmup: WarmUp = WarmUp()
    threads: int = 1
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse settings that cannot give a metric."""
        if self.min_samples < 1:
            raise Invalid("Ask for at least one sample.", field="min_samples")
        if self.threads < 1:
            raise Invalid("A model runs on at least one thread.", field="threads")
        if not 0 <= self.min_duration_s <= self.max_duration_s:
            raise Invalid("The shortest duration must lie between 0 and the longest one.", field="min_duration_s")
        if self.seed < 0:
            raise Invalid("The seed must be zero or a positive whole number.", field="seed")

    @property
    def rows(self) -> int:
        """Rows in one query."""
        return 1

    @property
    def workers(self) -> int:
        """Queries that are asked at a time."""
        return 1

    @property
    def has_pauses(self) -> bool:
        """Say whether the machine may be probed between two queries: not while one is due, or runs."""
        return self.workers == 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleStream(Scenario):
    """One inference at a time, the next starts when the last one answered (MLPerf's SingleStream).

    MLPerf's headline for it is p90; ours is p95, the metric that review policies limit.
    """

    NAME: ClassVar[str] = "SingleStream"
    HEADLINE: ClassVar[str] = "latency_p95_ms"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MultiStream(Scenario):
    """Queries of `samples_per_query` rows, the next starts when the last one was answered whole (MLPerf's MultiStream).

    The headline is MLPerf's: p99 of the time that a whole query takes.
    """

    NAME: ClassVar[str] = "MultiStream"
    HEADLINE: ClassVar[str] = "latency_p99_ms"

    samples_per_query: int = 8

    def __post_init__(self) -> None:
        """Refuse settings that cannot give a metric."""
        super().__post_init__()
        if self.samples_per_query < 1:
            raise Invalid("A query has at least one row.", field="samples_per_query")

    @property
    def rows(self) -> int:
        """Rows in one query."""
        return self.samples_per_query


@dataclasses.dataclass(frozen=True, kw_only=True)
class Offline(Scenario):
    """All rows are there beforehand and only throughput counts (MLPerf's Offline).

    They are asked in batches of `batch` rows, `concurrency` batches at a time; `min_samples` counts batches.
    """

    NAME: ClassVar[str] = "Offline"
    HEADLINE: ClassVar[str] = "throughput_samples_per_s"

    min_samples: int = 400
    batch: int = 1
    concurrency: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that cannot give a metric."""
        super().__post_init__()
        if self.batch < 1 or self.concurrency < 1:
            raise Invalid("A batch has at least one row, and at least one is asked at a time.", field="batch")

    @property
    def rows(self) -> int:
        """Rows in one query."""
        return self.batch

    @property
    def workers(self) -> int:
        """Queries that are asked at a time."""
        return self.concurrency


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server(Scenario):
    """Single rows that arrive at random moments, whether the last one was answered or not (MLPerf's Server).

    Arrivals are Poisson at `rate_per_s`; one worker answers them in order. The headline is p99 of the response time,
    which counts from the moment that a query was due. With `limit_ms` the run says whether the limit is met (MLPerf's
    early stopping: with 99 % confidence, 99 % of all queries lie below it).
    """

    NAME: ClassVar[str] = "Server"
    HEADLINE: ClassVar[str] = "response_time_p99_ms"

    min_samples: int = 700
    rate_per_s: float = 10.0
    limit_ms: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot give a metric."""
        super().__post_init__()
        if not 0 < self.rate_per_s <= HIGHEST_RATE_PER_S:
            raise Invalid(f"The rate must lie between 0 and {HIGHEST_RATE_PER_S:,} per second.", field="rate_per_s")
        if self.limit_ms is not None and self.limit_ms <= 0:
            raise Invalid("The latency limit must be a positive number of milliseconds.", field="limit_ms")

    @property
    def has_pauses(self) -> bool:
        """Say whether the machine may be probed between two queries: never, the next one may be due."""
        return False


SCENARIOS: Mapping[str, type[Scenario]] = {kind.NAME: kind for kind in (SingleStream, MultiStream, Offline, Server)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuntimeSettings:
    """How ONNX Runtime is set up: part of the manifest, since each of these decides what a metric means.

    `provider` is cpu, cuda or tensorrt; `optimization` none, basic, extended or all; `affinity` the processors that
    this process may use, all of them when it names none; `options` are handed to the provider as they are.
    """

    provider: str = "cpu"
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    inter_op_threads: int = 1
    optimization: str = "all"
    affinity: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what ONNX Runtime does not have."""
        if self.provider not in PROVIDERS:
            raise Invalid(f"There is no provider {self.provider!r}; only {', '.join(PROVIDERS)}.", field="provider")
        if self.optimization not in OPTIMIZATIONS:
            text = f"There is no optimization {self.optimization!r}; only {', '.join(OPTIMIZATIONS)}."
            raise Invalid(text, field="optimization")
        if self.inter_op_threads < 1:
            raise Invalid("A model runs on at least one thread.", field="inter_op_threads")
        if any(cpu < 0 for cpu in self.affinity):
            raise Invalid("Processors are numbered from 0.", field="affinity")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """Everything that decides how a profile is taken; part of its manifest.

    `quality_confidence` is the level of the quality intervals, `bootstraps` the resamples of the macro-F1 interval.
    Without `measures_quality` a data set only gives the rows that are asked. `tdp_w`, the nominal power of the
    machine's processors in watts, asks for an estimate of energy where none can be measured.
    """

    scenario: Scenario = SingleStream()
    engine: RuntimeSettings = RuntimeSettings()
    measures_quality: bool = True
    tdp_w: float | None = None
    quality_confidence: float = 0.95
    bootstraps: int = 1_000

    def __post_init__(self) -> None:
        """Refuse a level that is no probability and too few resamples for an interval."""
        if not 0 < self.quality_confidence < 1:
            raise Invalid("A confidence level lies between 0 and 1.", field="quality_confidence")
        if self.bootstraps < 100:
            raise Invalid("An interval by resampling needs at least 100 resamples.", field="bootstraps")
        if self.tdp_w is not None and self.tdp_w <= 0:
            raise Invalid("The nominal power must be a positive number of watts.", field="tdp_w")


def _named(scenario: Scenario) -> dict[str, Any]:
    return {"name": scenario.NAME, **CONVERTER.unstructure(scenario, type(scenario))}


def _scenario_of(document: Mapping[str, Any], _: Any) -> Scenario:
    values = {"name": SingleStream.NAME, **document}
    name = values.pop("name")
    if name not in SCENARIOS:
        raise Invalid(f"There is no scenario {name!r}; only {', '.join(SCENARIOS)}.", field="scenario")
    return CONVERTER.structure(values, SCENARIOS[name])


# By identity: the scenarios themselves are read and written field by field.
CONVERTER.register_unstructure_hook_func(lambda kind: kind is Scenario, _named)
CONVERTER.register_structure_hook_func(lambda kind: kind is Scenario, _scenario_of)
