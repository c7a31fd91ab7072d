"""A timed run of the queries of a scenario, with interference, energy and card of the machine, and its verdict."""

import dataclasses
import os
import time
from collections.abc import Sequence
from typing import Any

from weighbridge.measure import scenario_metrics
from weighbridge.measure.conditions import energy, interference, manifest
from weighbridge.measure.conditions.gpu.watch import CardReport, CardWatch
from weighbridge.measure.inputs.queries import Queries
from weighbridge.measure.loops.arrivals import serve
from weighbridge.measure.loops.concurrency import concurrent_streams
from weighbridge.measure.loops.latency import Feed, LatencyRun, Runner, single_stream
from weighbridge.measure.scenarios import ProfileSettings, Scenario, Server
from weighbridge.measure.stopping import Clock, StopMeasurement, Tick
from weighbridge.measure.verdict import Verdict, card_reasons, machine_reasons, run_reasons
from weighbridge.systems.engine_errors import ModelFailed


@dataclasses.dataclass(frozen=True)
class TimedRun:
    """A run with the interference and the energy metrics of the machine, and the report of its card if it uses one."""

    run: LatencyRun
    interference: interference.Interference
    energy: dict[str, dict[str, Any]]
    card: CardReport | None


def measure_timed_run(
    runner: Runner,
    queries: Queries,
    settings: ProfileSettings,
    on_tick: Tick,
    clock: Clock,
    watch: CardWatch | None,
) -> TimedRun:
    """Run the queries and monitor the machine and the card; raise ModelFailed if it is stopped before the first one."""
    read_card = watch.read if watch is not None else _nothing
    scenario = settings.scenario
    interference.spin_ns(clock)  # the first call warms up the interpreter
    spins = [interference.spin_ns(clock)]

    def tick(share: float) -> None:
        on_tick(share)
        if scenario.has_pauses:
            spins.append(interference.spin_ns(clock))
            read_card()

    read_card()
    joules, before = energy.read_counters(), interference.read_counters(clock)
    run = _run(runner, queries.feeds, scenario, tick, clock)
    joules_after, after = energy.read_counters(), interference.read_counters(clock)
    read_card()
    spins.append(interference.spin_ns(clock))
    seen = interference.interference_between(before, after, spins_ns=spins, cpus=len(os.sched_getaffinity(0)))
    used, basis = energy.joules_between(joules, joules_after), energy.MEASURED
    if used is None and settings.tdp_w is not None:
        cpu_s, basis = after.own_cpu_s - before.own_cpu_s, energy.ESTIMATED
        used = energy.estimated_joules(tdp_w=settings.tdp_w, cpu_s=cpu_s, cpus=os.cpu_count() or 1)
    answered = run.warmup.inferences + run.attempts
    card = watch.report(queries=answered, duration_s=(after.at_ns - before.at_ns) / 1e9) if watch is not None else None
    return TimedRun(run, seen, energy.energy_metrics(used, queries=answered, basis=basis), card)


def _run(runner: Runner, feeds: Sequence[Feed], scenario: Scenario, on_tick: Tick, clock: Clock) -> LatencyRun:
    try:
        if isinstance(scenario, Server):
            return serve(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=on_tick)
        if scenario.workers > 1:
            return concurrent_streams(runner, feeds, scenario=scenario, clock=clock, sleep=time.sleep, on_tick=on_tick)
        return single_stream(runner, feeds, scenario=scenario, clock=clock, on_tick=on_tick)
    except StopMeasurement as error:
        raise ModelFailed("The run was stopped before anything was measured.", code="run_stopped") from error


def _nothing() -> None:
    """Read no card."""


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
    card = card_reasons(seen.card.manifest) if seen.card is not None else ()
    return Verdict((*reasons, *machine, *card, *scenario_metrics.scenario_reasons(seen.run, scenario)))
