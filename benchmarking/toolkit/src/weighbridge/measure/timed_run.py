"""A timed run of the queries of a scenario, with interference and energy of the machine, and its verdict."""

import dataclasses
import os
import time
from typing import Any

from weighbridge.measure import scenario_metrics
from weighbridge.measure.conditions import energy, interference, manifest
from weighbridge.measure.inputs.queries import Queries
from weighbridge.measure.loops.arrivals import serve
from weighbridge.measure.loops.concurrency import concurrent_streams
from weighbridge.measure.loops.latency import LatencyRun, Runner, single_stream
from weighbridge.measure.scenarios import ProfileSettings, Server
from weighbridge.measure.stopping import Clock, StopMeasurement, Tick
from weighbridge.measure.verdict import Verdict, machine_reasons, run_reasons
from weighbridge.systems.engine_errors import ModelFailed


@dataclasses.dataclass(frozen=True)
class TimedRun:
    """A run with the interference and the energy metrics of the machine."""

    run: LatencyRun
    interference: interference.Interference
    energy: dict[str, dict[str, Any]]


def measure_timed_run(
    runner: Runner, queries: Queries, settings: ProfileSettings, on_tick: Tick, clock: Clock
) -> TimedRun:
    """Run the queries and monitor the machine; raise ModelFailed if it is stopped before anything was timed."""
    scenario, feeds = settings.scenario, queries.feeds
    interference.spin_ns(clock)  # the first call warms up the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        on_tick(share)
        if scenario.has_pauses:
            spins.append(interference.spin_ns(clock))

    joules, before = energy.read_counters(), interference.read_counters(clock)
    try:
        run: LatencyRun
        if isinstance(scenario, Server):
            run = serve(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=tick)
        elif scenario.workers > 1:
            run = concurrent_streams(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=tick)
        else:
            run = single_stream(runner, feeds, scenario=scenario, clock=clock, on_tick=tick)
    except StopMeasurement as error:
        raise ModelFailed("The run was stopped before anything was measured.", code="run_stopped") from error
    joules_after, after = energy.read_counters(), interference.read_counters(clock)
    spins.append(interference.spin_ns(clock))
    seen = interference.interference_between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))
    used, basis = energy.joules_between(joules, joules_after), energy.MEASURED
    if used is None and settings.tdp_w is not None:
        cpu_s, basis = after.own_cpu_s - before.own_cpu_s, energy.ESTIMATED
        used = energy.estimated_joules(tdp_w=settings.tdp_w, cpu_s=cpu_s, cpus=os.cpu_count() or 1)
    return TimedRun(run, seen, energy.energy_metrics(used, queries=run.warmup.inferences + run.attempts, basis=basis))


def judge_run(seen: TimedRun, settings: ProfileSettings) -> Verdict:
    """Return the verdict on a run, including the reasons of its scenario."""
    scenario, minimum = settings.scenario, scenario_metrics.minimum_of(settings.scenario)
    machine = machine_reasons(
        seen.interference,
        governor=manifest.cpu_governors(),
        threads=scenario.threads,
        workers=scenario.workers,
    )
    reasons = run_reasons(seen.run, scenario=scenario, minimum=minimum)
    return Verdict((*reasons, *machine, *scenario_metrics.scenario_reasons(seen.run, scenario)))
