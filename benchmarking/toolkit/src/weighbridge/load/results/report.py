"""A load test from its plan to its `weighbridge.load/1` document."""

import dataclasses
import hashlib
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.core.addresses import Pinned
from weighbridge.load.generator.generator import Fired, Shard, fire
from weighbridge.load.messages import build_requests, read_bodies
from weighbridge.load.plan import LoadCaps, LoadPlan, check_caps
from weighbridge.load.results.metrics import LoadMetrics, metrics_of, seconds_of
from weighbridge.load.results.verdict import HEADLINE, LoadCircumstances, judge
from weighbridge.load.target import is_this_machine
from weighbridge.measure.conditions import interference, manifest

SCHEMA = "weighbridge.load/1"
LIBRARIES = ("numpy", "scipy", "httptools", "uvloop")


def run_load(
    plan: LoadPlan,
    target: Pinned,
    *,
    caps: LoadCaps,
    folder: Path,
    on_progress: Callable[[float, str], None],
    should_stop: Callable[[], bool],
    now: datetime,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> tuple[dict[str, Any], Fired]:
    """Fire the whole plan from this machine and return its `weighbridge.load/1` mapping, and the samples behind it.

    `folder` is a place for the processes' files. Raises Invalid for a plan over the caps or bodies that cannot be sent,
    and GeneratorFailed where nothing could be measured; a test that was stopped returns what it has, marked
    `is_partial`.
    """
    check_caps(plan, caps)
    build_requests(plan, target)  # refuses what cannot be sent, before any process starts
    before = interference.read_counters(clock)
    fired = fire(
        plan,
        target,
        share=Shard(mine=range(plan.processes), of=plan.processes),
        answer_bytes=caps.answer_bytes,
        folder=folder,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    after = interference.read_counters(clock)
    seen = interference.between(before, after, spins_ns=(), cpus=len(os.sched_getaffinity(0)))
    return load_document(plan, target, fired, seen=seen, now=now), fired


def load_document(
    plan: LoadPlan, target: Pinned, fired: Fired, *, seen: interference.Interference | None, now: datetime
) -> dict[str, Any]:
    """Return the document of a test that was fired; `seen` is what else this machine did meanwhile."""
    is_partial = fired.is_stopped or bool(fired.lost_processes)
    metrics = metrics_of(fired.samples, duration_s=span_s(plan, fired), seed=plan.seed)
    circumstances = LoadCircumstances(is_co_located=is_this_machine(target.address), interference=seen)
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": is_partial,
        "headline": HEADLINE,
        "verdict": judge(plan, fired, metrics, circumstances).as_document(),
        "metrics": metrics.metrics,
        "missing": metrics.missing,
        "errors": _errors(fired),
        "within_limit": _within_limit(plan, metrics),
        "series": seconds_of(fired.samples),
        "run": {
            "connections_opened": fired.opened,
            "generator_cpu_s": round(fired.cpu_s, 3),
            "unsettled": int((~fired.samples.settled).sum()),
            "interference": _interference(seen),
        },
        "plan": plan.as_document(),
        "manifest": manifest.sealed(load_manifest(plan, target)),
    }


def span_s(plan: LoadPlan, fired: Fired) -> float:
    """Return how long requests were sent: the plan's duration, or less where the test was stopped."""
    if not fired.is_stopped:
        return plan.duration_s
    taken = fired.samples.taken_ns.max(initial=0) / 1e9
    return float(min(plan.duration_s, max(taken, 1e-3)))


def _errors(fired: Fired) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "count": count, "first": fired.complaints.get(kind, "")}
        for kind, count in fired.samples.failures.items()
    ]


def _within_limit(plan: LoadPlan, metrics: LoadMetrics) -> dict[str, Any] | None:
    """Say whether p99 holds the limit: yes by its upper bound, no by its lower one, otherwise not known (None)."""
    if plan.p99_limit_ms is None:
        return None
    metric = metrics.metrics.get(HEADLINE)
    answer = None
    if metric is not None and metric["upper"] <= plan.p99_limit_ms:
        answer = True
    elif metric is None or metric["lower"] > plan.p99_limit_ms:
        answer = False
    return {"metric": HEADLINE, "limit_ms": plan.p99_limit_ms, "is_within": answer}


def _interference(seen: interference.Interference | None) -> dict[str, Any] | None:
    # Without a canary, and without the time of others: generator and target may be among them.
    shown = ("steal_cpus", "pressure_share", "load_1min_before", "cpus")
    return {key: seen.as_document()[key] for key in shown} if seen is not None else None


def load_manifest(plan: LoadPlan, target: Pinned) -> dict[str, Any]:
    """Return under which conditions the target was measured: address, plan, bodies, libraries, machine."""
    return {
        "target": {**dataclasses.asdict(target), "is_this_machine": is_this_machine(target.address)},
        "plan": plan.as_document(),
        "bodies": _digest_of_bodies(plan),
        "libraries": manifest.libraries(LIBRARIES),
        "machine": manifest.machine(),
    }


def _digest_of_bodies(plan: LoadPlan) -> dict[str, Any] | None:
    if not plan.body:
        return None
    bodies = read_bodies(Path(plan.body))
    digest = hashlib.sha256()
    for body in bodies:
        digest.update(len(body).to_bytes(8, "big") + body)
    return {"count": len(bodies), "digest": f"sha256:{digest.hexdigest()}"}
