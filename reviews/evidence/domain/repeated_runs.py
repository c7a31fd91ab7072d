"""Runs that were repeated until a limit held: of each, the valid earlier runs that missed the limit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from governance.rulebook.domain.evaluation.limits import EvaluationCase, RuleStatus, judge_limit, observed_words
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.metric_limits import MetricLimit
from weighbridge.core.metrics.units import with_unit
from weighbridge.core.metrics.values import MetricValue

MISSES_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class RunConditions:
    """What two runs have in common if their values of a metric are compared: the plan and, for quality, the data."""

    scenario: str
    hardware: str
    settings: str = ""
    data_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class MissedRun:
    """A valid run that missed the limit. `ref` is its request, or "" if that is the request under review."""

    run_id: int
    ref: str
    observed: str

    @property
    def words(self) -> str:
        """The run and its value: `run 11 had 103 ms`."""
        return f"run {self.run_id}{f' of {self.ref}' if self.ref else ''} had {self.observed}"


@dataclass(frozen=True, kw_only=True)
class RunMeasurement:
    """A value that a run measured for a request of the artifact (`ref`, as in `MissedRun`)."""

    value: MetricValue
    run_id: int
    ref: str
    is_valid: bool
    conditions: RunConditions


@dataclass(frozen=True, kw_only=True)
class RepeatedRun:
    """A run that meets a limit that valid earlier ones missed, the worst first.

    `number` is its place among the valid and indicative runs that measured the metric under the same conditions.
    """

    run_id: int
    number: int
    scenario: str
    hardware: str
    condition: str
    observed: str
    missed: tuple[MissedRun, ...]

    @property
    def sentence(self) -> str:
        """The repetition, the limit, and the values of the three worst runs before it."""
        count = len(self.missed)
        runs = "1 valid earlier run" if count == 1 else f"{count} valid earlier runs"
        named = [miss.words for miss in self.missed[:MISSES_NAMED]]
        if count > MISSES_NAMED:
            named[-1] += f" (and {count - MISSES_NAMED} more missed it)"
        return (
            f"Run {self.run_id} is measurement {self.number} of {self.scenario} on {self.hardware} for this artifact. "
            f"It meets a limit that {runs} missed: {self.condition}. "
            f"It has {self.observed}; {', '.join(named)}."
        )


def repeated_runs(
    measurements: Sequence[RunMeasurement], *, limits: Iterable[MetricLimit], case: EvaluationCase
) -> tuple[RepeatedRun, ...]:
    """The runs that meet a limit which a valid earlier run under the same conditions missed, one for each condition.

    `measurements` are sorted, the oldest first; `case` has the values that count. An earlier run that missed a limit
    keeps having missed it after its values expired.
    """
    found = (_repeated_run(limit, measurements, case) for limit in limits)
    return tuple({run.condition: run for run in found if run is not None}.values())


def _repeated_run(
    limit: MetricLimit, measurements: Sequence[RunMeasurement], case: EvaluationCase
) -> RepeatedRun | None:
    finding = judge_limit(limit, case)
    counted_id = finding.metric_value.id if finding.metric_value is not None else ""
    place = next((place for place, each in enumerate(measurements) if each.value.id == counted_id), None)
    if finding.status is not RuleStatus.PASSED or place is None:
        return None
    counted = measurements[place]
    earlier = [
        each
        for each in measurements[:place]
        if each.value.name == counted.value.name and each.conditions == counted.conditions
    ]
    judged = ((each, _observed_if_missed(limit, each, case)) for each in earlier if each.is_valid)
    missed = [(observed, each) for each, observed in judged if observed is not None]
    if not missed:
        return None
    missed.sort(key=lambda pair: pair[0], reverse=limit.comparator.is_ceiling)
    return RepeatedRun(
        run_id=counted.run_id,
        number=len(earlier) + 1,
        scenario=counted.conditions.scenario,
        hardware=counted.conditions.hardware,
        condition=limit.own_condition,
        observed=_words(finding.observed, limit),
        missed=tuple(
            MissedRun(run_id=each.run_id, ref=each.ref, observed=_words(observed, limit)) for observed, each in missed
        ),
    )


def _observed_if_missed(limit: MetricLimit, measurement: RunMeasurement, case: EvaluationCase) -> Decimal | None:
    """The number of the measurement that is compared with the limit, if it misses the limit."""
    alone = index_values([replace(measurement.value, valid_until=None)], catalog=case.index.catalog)
    finding = judge_limit(limit, replace(case, index=alone))
    return finding.observed if finding.status is RuleStatus.FIRED else None


def _words(observed: Decimal | None, limit: MetricLimit) -> str:
    return with_unit(observed_words(observed, limit.limit), limit.unit) if observed is not None else ""
