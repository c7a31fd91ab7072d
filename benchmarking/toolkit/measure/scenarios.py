"""Scenarios: frozen settings of a measurement, with MLPerf's names and one headline metric each.

In scope: how many samples, for how long, after which warm-up, on how many threads, with which seed.
Not in scope: what a model is, what its data look like, how answers are scored, whether a result is good enough.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from governance.domain.refusals import Invalid


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
class SingleStream:
    """One inference at a time, the next starts when the last one answered (MLPerf's SingleStream).

    MLPerf's headline for it is p90; ours is p95, the figure that review policies limit. The run ends when both
    `min_samples` and `min_duration_s` are reached, or at `max_duration_s` with what there is.
    """

    NAME: ClassVar[str] = "SingleStream"
    HEADLINE: ClassVar[str] = "latency_p95_ms"

    min_samples: int = 3_000
    min_duration_s: float = 2.0
    max_duration_s: float = 240.0
    warmup: WarmUp = WarmUp()
    threads: int = 1
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse settings that cannot give a figure."""
        if self.min_samples < 1:
            raise Invalid("Ask for at least one sample.", field="min_samples")
        if self.threads < 1:
            raise Invalid("A model runs on at least one thread.", field="threads")
        if not 0 <= self.min_duration_s <= self.max_duration_s:
            raise Invalid("The shortest duration must lie between 0 and the longest one.", field="min_duration_s")
        if self.seed < 0:
            raise Invalid("The seed must be zero or a positive whole number.", field="seed")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """Everything that decides how a profile is taken; part of its manifest.

    `quality_confidence` is the level of the quality intervals, `bootstraps` the resamples of the macro-F1 interval.
    """

    scenario: SingleStream = SingleStream()
    quality_confidence: float = 0.95
    bootstraps: int = 1_000

    def __post_init__(self) -> None:
        """Refuse a level that is no probability and too few resamples for an interval."""
        if not 0 < self.quality_confidence < 1:
            raise Invalid("A confidence level lies between 0 and 1.", field="quality_confidence")
        if self.bootstraps < 100:
            raise Invalid("An interval by resampling needs at least 100 resamples.", field="bootstraps")

    def as_document(self) -> dict[str, Any]:
        """Return the settings as JSON-able mappings, the scenario by name."""
        return {
            **dataclasses.asdict(self),
            "scenario": {"name": self.scenario.NAME, **dataclasses.asdict(self.scenario)},
        }


def settings_from(document: Mapping[str, Any]) -> ProfileSettings:
    """Read what `as_document` wrote; raise Invalid for another scenario or an unknown key."""
    values = dict(document)
    scenario = dict(values.pop("scenario", {}))
    name = scenario.pop("name", SingleStream.NAME)
    if name != SingleStream.NAME:
        raise Invalid(f"There is no scenario {name!r}; this version measures {SingleStream.NAME}.", field="scenario")
    try:
        warmup = WarmUp(**scenario.pop("warmup", {}))
        return ProfileSettings(scenario=SingleStream(warmup=warmup, **scenario), **values)
    except TypeError as error:
        raise Invalid(f"A setting is not known: {error}.", field="settings") from error
