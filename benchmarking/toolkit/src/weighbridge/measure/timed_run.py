"""Times: the queries of a scenario, asked and timed while the machine is watched, and the verdict on what
came of it.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from weighbridge.measure import scenario_metrics, verdict
from weighbridge.measure.conditions import energy, interference, manifest
from weighbridge.measure.loops.arrivals import serve
from weighbridge.measure.loops.concurrency import several_at_a_time
from weighbridge.measure.loops.latency import Feed, LatencyRun, single_stream
from weighbridge.measure.samples import Queries
from weighbridge.measure.scenarios import ProfileSettings, Server
from weighbridge.measure.stopping import Enough
from weighbridge.systems.engine_errors import ModelFailed
from weighbridge.systems.registry import LoadedSystem


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a run saw, what the machine did meanwhile, and the energy it took, with the basis of that metric."""

    run: LatencyRun
    interference: interference.Interference
    energy: dict[str, dict[str, Any]]


def measure_times(
    runner: LoadedSystem,
    queries: Queries,
    settings: ProfileSettings,
    on_tick: Callable[[float], None],
    clock: Callable[[], int],
) -> Seen:
    """Ask the queries as the scenario wants it, and watch the machine meanwhile; `on_tick` gets the share done.

    Raises ModelFailed when it was asked to end before anything was timed.
    """
    interference.spin_ns(clock)  # the first one warms the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        on_tick(share)
        if settings.scenario.has_pauses:
            spins.append(interference.spin_ns(clock))

    joules, before = energy.read_counters(), interference.read_counters(clock)
    run = _asked(runner, queries.feeds, settings, clock, tick)
    joules_after, after = energy.read_counters(), interference.read_counters(clock)
    spins.append(interference.spin_ns(clock))
    seen = interference.between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))
    used, basis = energy.joules_between(joules, joules_after), energy.MEASURED
    if used is None and settings.tdp_w is not None:
        cpu_s = after.own_cpu_s - before.own_cpu_s
        used = energy.estimated_joules(tdp_w=settings.tdp_w, cpu_s=cpu_s, cpus=os.cpu_count() or 1)
        basis = energy.ESTIMATED
    return Seen(run, seen, energy.energy_metrics(used, queries=run.warmup.inferences + run.attempts, basis=basis))


def _asked(
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
            return several_at_a_time(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=tick)
        return single_stream(runner, feeds, scenario=scenario, clock=clock, on_tick=tick)
    except Enough as error:
        raise ModelFailed("The run was stopped before anything was measured.", code="run_stopped") from error


def judged(seen: Seen, queries: Queries, settings: ProfileSettings) -> verdict.Verdict:
    """Return the verdict on a run, the doubts of its scenario included."""
    circumstances = verdict.RunCircumstances(
        interference=seen.interference, governor=manifest.governor(), free_dimensions=queries.free_dimensions
    )
    scenario = settings.scenario
    judged = verdict.judge(
        seen.run, scenario=scenario, minimum=scenario_metrics.minimum_of(scenario), circumstances=circumstances
    )
    reasons = (*judged.reasons, *scenario_metrics.doubts(seen.run, scenario))
    return verdict.Verdict(verdict.worst(reasons), reasons)
