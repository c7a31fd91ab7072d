"""A timed run of the queries of a scenario, with interference and energy of the machine, and its verdict."""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from weighbridge.measure import scenario_metrics, verdict
from weighbridge.measure.conditions import energy, interference, manifest
from weighbridge.measure.loops.arrivals import serve
from weighbridge.measure.loops.concurrency import concurrent_streams
from weighbridge.measure.loops.latency import Feed, LatencyRun, single_stream
from weighbridge.measure.samples import Queries
from weighbridge.measure.scenarios import ProfileSettings, Server
from weighbridge.measure.stopping import StopMeasurement
from weighbridge.systems.engine_errors import ModelFailed
from weighbridge.systems.registry import LoadedSystem


@dataclasses.dataclass(frozen=True)
class TimedRun:
    """A run with the interference and the energy metrics of the machine."""

    run: LatencyRun
    interference: interference.Interference
    energy: dict[str, dict[str, Any]]


def measure_timed_run(
    runner: LoadedSystem,
    queries: Queries,
    settings: ProfileSettings,
    on_tick: Callable[[float], None],
    clock: Callable[[], int],
) -> TimedRun:
    """Run the queries of the scenario and monitor the machine; `on_tick` receives the share done.

    Raises ModelFailed if the run is stopped before anything was timed.
    """
    interference.spin_ns(clock)  # the first call warms up the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        on_tick(share)
        if settings.scenario.has_pauses:
            spins.append(interference.spin_ns(clock))

    joules, before = energy.read_counters(), interference.read_counters(clock)
    run = _run_scenario(runner, queries.feeds, settings, clock, tick)
    joules_after, after = energy.read_counters(), interference.read_counters(clock)
    spins.append(interference.spin_ns(clock))
    seen = interference.interference_between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))
    used, basis = energy.joules_between(joules, joules_after), energy.MEASURED
    if used is None and settings.tdp_w is not None:
        cpu_s = after.own_cpu_s - before.own_cpu_s
        used = energy.estimated_joules(tdp_w=settings.tdp_w, cpu_s=cpu_s, cpus=os.cpu_count() or 1)
        basis = energy.ESTIMATED
    return TimedRun(run, seen, energy.energy_metrics(used, queries=run.warmup.inferences + run.attempts, basis=basis))


def _run_scenario(
    runner: LoadedSystem,
    feeds: Sequence[Feed],
    settings: ProfileSettings,
    clock: Callable[[], int],
    tick: Callable[[float], None],
) -> LatencyRun:
    scenario = settings.scenario
    try:
        if isinstance(scenario, Server):
            return serve(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=tick)
        if scenario.workers > 1:
            return concurrent_streams(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=tick)
        return single_stream(runner, feeds, scenario=scenario, clock=clock, on_tick=tick)
    except StopMeasurement as error:
        raise ModelFailed("The run was stopped before anything was measured.", code="run_stopped") from error


def judge_run(seen: TimedRun, queries: Queries, settings: ProfileSettings) -> verdict.Verdict:
    """Return the verdict on a run, including the reasons of its scenario."""
    circumstances = verdict.RunCircumstances(
        interference=seen.interference, governor=manifest.cpu_governors(), free_dimensions=queries.free_dimensions
    )
    scenario = settings.scenario
    judgment = verdict.judge(
        seen.run, scenario=scenario, minimum=scenario_metrics.minimum_of(scenario), circumstances=circumstances
    )
    reasons = (*judgment.reasons, *scenario_metrics.scenario_reasons(seen.run, scenario))
    return verdict.Verdict(verdict.worst(reasons), reasons)
