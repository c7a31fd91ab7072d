"""Scenarios: immutable settings of a measurement, named as in MLPerf, each with one headline metric.

They define the number of samples, durations, warm-up, threads, engine options and seed. They do not define the model,
its data, the scoring of answers, or limits.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from weighbridge.core.converter import CONVERTER
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.settings import AS_DECLARED, InputSettings
from weighbridge.quality.answers import AS_GIVEN, AnswerSettings
from weighbridge.quality.metrics.registry import registered
from weighbridge.quality.scoring.measuring import ScoreSettings

PROVIDERS: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
# Providers that run on a graphics card of NVIDIA, which their option `device_id` chooses.
ON_CARDS = frozenset({"cuda", "tensorrt"})
OPTIMIZATIONS = ("none", "basic", "extended", "all")
HIGHEST_RATE_PER_S = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class WarmUp:
    """Settings of the warm-up before the measurement.

    The two-halves test uses the latest `values`; each is the mean of the inferences within `value_ms`, so that the
    resolution of the clock does not matter. After `max_duration_s` the measurement starts anyway, and its verdict
    states that the warm-up did not settle.
    """

    values: int = 40
    value_ms: float = 1.0
    max_duration_s: float = 15.0

    def __post_init__(self) -> None:
        """Raise Invalid for settings that the two-halves test cannot use."""
        if self.values < 10:
            raise Invalid("The two-halves test needs at least 10 values.", field="values")
        if self.value_ms < 0:
            raise Invalid("The duration of a warm-up value must not be negative.", field="value_ms")
        if self.max_duration_s <= 0:
            raise Invalid("The longest warm-up must be a positive number of seconds.", field="max_duration_s")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """The settings of every scenario: samples, durations, warm-up, threads and seed.

    A run ends when both `min_samples` timed queries and `min_duration_s` are reached, or at `max_duration_s`. `rows` is
    the number of rows per query, `workers` the number of concurrent queries.
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
        """Raise Invalid for settings that cannot give a metric."""
        if self.min_samples < 1:
            raise Invalid("A run needs at least one sample.", field="min_samples")
        if self.threads < 1:
            raise Invalid("A model needs at least one thread.", field="threads")
        if not 0 <= self.min_duration_s <= self.max_duration_s:
            raise Invalid("The minimum duration must be between 0 and the maximum duration.", field="min_duration_s")
        if self.seed < 0:
            raise Invalid("The seed must not be negative.", field="seed")

    @property
    def rows(self) -> int:
        """Rows per query."""
        return 1

    @property
    def workers(self) -> int:
        """Concurrent queries."""
        return 1

    @property
    def has_pauses(self) -> bool:
        """Whether the machine may be probed between two queries: only if no other query is due or running."""
        return self.workers == 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleStream(Scenario):
    """One query at a time; the next starts when the last one is answered (SingleStream of MLPerf).

    The headline of MLPerf is p90; here it is p95, the metric that review policies limit.
    """

    NAME: ClassVar[str] = "SingleStream"
    HEADLINE: ClassVar[str] = "latency_p95_ms"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MultiStream(Scenario):
    """Queries of `samples_per_query` rows, one at a time; the headline is p99 of a whole query, as in MLPerf."""

    NAME: ClassVar[str] = "MultiStream"
    HEADLINE: ClassVar[str] = "latency_p99_ms"

    samples_per_query: int = 8

    def __post_init__(self) -> None:
        """Raise Invalid for settings that cannot give a metric."""
        super().__post_init__()
        if self.samples_per_query < 1:
            raise Invalid("A query needs at least one row.", field="samples_per_query")

    @property
    def rows(self) -> int:
        """Rows per query."""
        return self.samples_per_query


@dataclasses.dataclass(frozen=True, kw_only=True)
class Offline(Scenario):
    """All rows are available at the start, and only throughput counts (Offline of MLPerf).

    Queries are batches of `batch` rows, with `concurrency` batches at a time; `min_samples` counts batches.
    """

    NAME: ClassVar[str] = "Offline"
    HEADLINE: ClassVar[str] = "throughput_samples_per_s"

    min_samples: int = 400
    batch: int = 1
    concurrency: int = 1

    def __post_init__(self) -> None:
        """Raise Invalid for settings that cannot give a metric."""
        super().__post_init__()
        if self.batch < 1 or self.concurrency < 1:
            raise Invalid("Batch size and concurrency must be at least 1.", field="batch")

    @property
    def rows(self) -> int:
        """Rows per query."""
        return self.batch

    @property
    def workers(self) -> int:
        """Concurrent queries."""
        return self.concurrency


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server(Scenario):
    """Single rows that arrive at random times, independent of earlier answers (Server of MLPerf).

    Arrivals are a Poisson process at `rate_per_s`; one worker answers them in order. The headline is p99 of the
    response time, which counts from the time a query was due. With `limit_ms`, the result states whether the limit is
    met (early stopping of MLPerf: with 99 % confidence, 99 % of all queries are below it).
    """

    NAME: ClassVar[str] = "Server"
    HEADLINE: ClassVar[str] = "response_time_p99_ms"

    min_samples: int = 700
    rate_per_s: float = 10.0
    limit_ms: float | None = None

    def __post_init__(self) -> None:
        """Raise Invalid for settings that cannot give a metric."""
        super().__post_init__()
        if not 0 < self.rate_per_s <= HIGHEST_RATE_PER_S:
            raise Invalid(f"The rate must be between 0 and {HIGHEST_RATE_PER_S:,} per second.", field="rate_per_s")
        if self.limit_ms is not None and self.limit_ms <= 0:
            raise Invalid("The latency limit must be a positive number of milliseconds.", field="limit_ms")

    @property
    def has_pauses(self) -> bool:
        """Never probe the machine between two queries, because the next one may be due."""
        return False


SCENARIOS: Mapping[str, type[Scenario]] = {kind.NAME: kind for kind in (SingleStream, MultiStream, Offline, Server)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuntimeSettings:
    """Settings of ONNX Runtime; part of the manifest, because each of them affects the metrics.

    `provider` is cpu, cuda, tensorrt or openvino; `optimization` is none, basic, extended or all; `affinity` lists the
    processors that this process may use, empty for all; `options` are passed to the provider unchanged. PyTorch modules
    also run with cuda, with the option `device_id`.
    """

    provider: str = "cpu"
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    inter_op_threads: int = 1
    optimization: str = "all"
    affinity: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Raise Invalid for settings that ONNX Runtime does not support."""
        if self.provider not in PROVIDERS:
            text = f"There is no provider {self.provider!r}; use one of {', '.join(PROVIDERS)}."
            raise Invalid(text, field="provider")
        if self.optimization not in OPTIMIZATIONS:
            text = f"There is no optimization {self.optimization!r}; use one of {', '.join(OPTIMIZATIONS)}."
            raise Invalid(text, field="optimization")
        if self.inter_op_threads < 1:
            raise Invalid("A model needs at least one thread.", field="inter_op_threads")
        if any(cpu < 0 for cpu in self.affinity):
            raise Invalid("Processors are numbered from 0.", field="affinity")
        if self.provider in ON_CARDS and not self.options.get("device_id", "0").isdecimal():
            text = f"The option device_id is the number of a card, from 0, not {self.options['device_id']!r}."
            raise Invalid(text, field="provider_option")

    @property
    def card(self) -> int | None:
        """CUDA's number of the graphics card; None for a provider that uses no card of NVIDIA."""
        return int(self.options.get("device_id", "0")) if self.provider in ON_CARDS else None

    @property
    def device(self) -> str:
        """The kind of device that OpenVINO uses: its option `device_type`, the processor without one."""
        return self.options.get("device_type", "CPU")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """The settings of a profile; part of its manifest.

    `quality_confidence` is the level of the quality intervals, `bootstraps` the resamples of those without a closed
    form. `metrics` are quality metrics of the registry besides those of every model; a function of a user is none of
    them, because settings also come from other people. Without `measures_quality`, a data set only provides the input
    rows. `inputs` are the stated sizes, values and states of the inputs, `answers` the output to score and how. `tdp_w`
    is the rated power of the processors in watts, used to estimate energy if it cannot be measured.
    """

    scenario: Scenario = SingleStream()
    engine: RuntimeSettings = RuntimeSettings()
    inputs: InputSettings = AS_DECLARED
    answers: AnswerSettings = AS_GIVEN
    measures_quality: bool = True
    tdp_w: float | None = None
    metrics: tuple[str, ...] = ()
    quality_confidence: float = 0.95
    bootstraps: int = 1_000

    def __post_init__(self) -> None:
        """Raise Invalid for an invalid level, too few resamples, and unknown metrics."""
        if not 0 < self.quality_confidence < 1:
            raise Invalid("The confidence level must be between 0 and 1.", field="quality_confidence")
        if self.bootstraps < 100:
            raise Invalid("A bootstrap interval needs at least 100 resamples.", field="bootstraps")
        registered(self.metrics)
        if self.tdp_w is not None and self.tdp_w <= 0:
            raise Invalid("The rated power must be a positive number of watts.", field="tdp_w")

    @property
    def score(self) -> ScoreSettings:
        """The settings of the intervals of quality."""
        return ScoreSettings(confidence=self.quality_confidence, resamples=self.bootstraps, seed=self.scenario.seed)


def _named(scenario: Scenario) -> dict[str, Any]:
    return {"name": scenario.NAME, **CONVERTER.unstructure(scenario, type(scenario))}


def _scenario_of(document: Mapping[str, Any], _: Any) -> Scenario:
    values = {"name": SingleStream.NAME, **document}
    name = values.pop("name")
    if name not in SCENARIOS:
        raise Invalid(f"There is no scenario {name!r}; use one of {', '.join(SCENARIOS)}.", field="scenario")
    return CONVERTER.structure(values, SCENARIOS[name])


# Only for the base class: subclasses are read and written field by field.
CONVERTER.register_unstructure_hook_func(lambda kind: kind is Scenario, _named)
CONVERTER.register_structure_hook_func(lambda kind: kind is Scenario, _scenario_of)
