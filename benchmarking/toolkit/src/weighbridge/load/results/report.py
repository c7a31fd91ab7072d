"""Run a load test and create its `weighbridge.load/1` document."""

import dataclasses
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from weighbridge.core.addresses import PinnedAddress
from weighbridge.load.chat.results.section import chat_results
from weighbridge.load.chat.results.tokens import TokenCheck, with_counted_tokens
from weighbridge.load.chat.tokenize import MOST_OF_FILE, MOST_OF_SERVER, SERVER, count_of_file, count_of_server
from weighbridge.load.generator.generator import GeneratorResult, Shard, generate_load
from weighbridge.load.generator.tls import tls_context
from weighbridge.load.messages import bodies_of, build_requests
from weighbridge.load.plan import LoadCaps, LoadPlan, check_caps
from weighbridge.load.results.metrics import HEADLINE, LoadMetrics, headline_of, metrics_of, per_second_series
from weighbridge.load.results.success import bodies_checked
from weighbridge.load.results.verdict import STEADY, judge
from weighbridge.load.target import is_this_machine
from weighbridge.measure.conditions import interference, manifest
from weighbridge.measure.stopping import Progress

SCHEMA = "weighbridge.load/1"
LIBRARIES = ("numpy", "scipy", "httptools", "uvloop")


def run_load(
    plan: LoadPlan,
    target: PinnedAddress,
    *,
    caps: LoadCaps,
    folder: Path,
    on_progress: Progress,
    should_stop: Callable[[], bool],
    now: datetime,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> tuple[dict[str, Any], GeneratorResult]:
    """Run the whole plan from this machine; return its `weighbridge.load/1` mapping and the generator result.

    `folder` is for files of the processes. Raises Invalid for a plan above the caps or invalid bodies, and
    GeneratorFailed if nothing was measured; a stopped test returns a partial result (`is_partial`).
    """
    check_caps(plan, caps)
    # Validates all requests before any process starts.
    build_requests(plan, target)
    if plan.ca_file:
        tls_context(plan.ca_file)
    described = load_manifest(plan, target)  # before the run: files may be gone after it
    before = interference.read_counters(clock)
    result = generate_load(
        plan,
        target,
        share=Shard(mine=range(plan.processes), of=plan.processes),
        caps=caps,
        folder=folder,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    after = interference.read_counters(clock)
    result, check = _counted(plan, target, result)
    seen = interference.interference_between(before, after, spins_ns=(), cpus=len(os.sched_getaffinity(0)))
    return load_document(plan, result, described=described, seen=seen, now=now, check=check), result


def _counted(
    plan: LoadPlan, target: PinnedAddress, result: GeneratorResult
) -> tuple[GeneratorResult, TokenCheck | None]:
    """Count the tokens of answers, if the plan names a tokenizer."""
    if plan.chat is None or result.chat is None or not plan.chat.tokenizer:
        return result, None
    is_server = plan.chat.tokenizer == SERVER
    tls = tls_context(plan.ca_file) if target.scheme == "https" else None
    count = count_of_server(target, plan.headers, tls) if is_server else count_of_file(Path(plan.chat.tokenizer))
    most = MOST_OF_SERVER if is_server else MOST_OF_FILE
    chat, check = with_counted_tokens(result.samples, result.chat, count, most=most, seed=plan.seed)
    return dataclasses.replace(result, chat=chat), check


def load_document(
    plan: LoadPlan,
    result: GeneratorResult,
    *,
    described: Mapping[str, Any],
    seen: interference.Interference | None,
    now: datetime,
    check: TokenCheck | None = None,
) -> dict[str, Any]:
    """Return the document of a test; `described` is its `load_manifest`, `seen` the interference on this machine.

    `check` is that of the tokens of streamed answers.
    """
    metrics, streamed = metrics_of_test(plan, result), None
    if plan.chat is not None and result.chat is not None:
        streamed = chat_results(
            plan.chat,
            result,
            result.chat,
            check=check,
            base=metrics,
            duration_s=span_s(plan, result),
            seed=plan.seed,
            is_steady=not plan.is_closed and not plan.chat.is_conversation and plan.arrivals in STEADY,
        )
        metrics = streamed.metrics
    is_co_located = described["target"]["is_this_machine"]
    more = streamed.doubts.reasons if streamed is not None else ()
    verdict = judge(plan, result, metrics, is_co_located=is_co_located, interference=seen, more=more)
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": result.is_stopped or bool(result.lost_processes),
        "loop": "closed" if plan.is_closed else "open",
        "headline": headline_of(plan)[0],
        "verdict": verdict.as_document(),
        "metrics": metrics.metrics,
        "missing": metrics.missing,
        "errors": [
            {"kind": kind, "count": count, "first": result.complaints.get(kind, "")}
            for kind, count in result.samples.failures.items()
        ],
        "within_limit": _within_limit(plan, metrics),
        **({"streaming": streamed.section} if streamed is not None else {}),
        "bodies": bodies_checked(result.samples),
        "notes": list(notes(plan)),
        "series": per_second_series(result.samples),
        "run": {
            "connections_opened": result.opened,
            "connections_at_once": result.peak,
            "connections_limited_by": list(result.pool_limits),
            "requests_per_connection": result.streams,
            "generator_cpu_s": round(result.cpu_s, 3),
            "generator_processor_share": round(result.processor_share, 3),
            "unsettled": int((~result.samples.settled).sum()),
            "interference": _interference(seen),
        },
        "plan": plan.as_document(),
        "manifest": manifest.seal_manifest(dict(described)),
    }


def metrics_of_test(plan: LoadPlan, result: GeneratorResult) -> LoadMetrics:
    """Return the metrics of a test; a closed loop offers no rate of its own."""
    metrics = metrics_of(result.samples, duration_s=span_s(plan, result), seed=plan.seed)
    if plan.is_closed:
        metrics.metrics.pop("offered_per_s", None)
    return metrics


def notes(plan: LoadPlan) -> Iterator[dict[str, str]]:
    """Yield what a reader must know besides the verdict: what was not checked, and what the loop cannot show."""
    if not plan.expect.reads_bodies and plan.chat is None:
        text = "Bodies were not checked: every answer with the expected status counts as right."
        yield {"code": "bodies.unchecked", "message": text}
    if plan.protocol.is_http2:
        text = (
            "With HTTP/2, requests share connections. A target that serves each connection with one thread is tested "
            "with one thread for each connection; give --connections the number that there is in production."
        )
        yield {"code": "connections.shared", "message": text}
    if plan.is_closed:
        text = (
            "A closed loop cannot show overload: its users wait for a slow target and send less. Its response times "
            "hold for these users and think times, not for a rate."
        )
        yield {"code": "loop.closed", "message": text}


def span_s(plan: LoadPlan, result: GeneratorResult) -> float:
    """Return how long requests were sent: the duration of the plan, or less if the test was stopped."""
    if not result.is_stopped:
        return plan.duration_s
    taken = result.samples.taken_ns.max(initial=0) / 1e9
    return float(min(plan.duration_s, max(taken, 1e-3)))


def _within_limit(plan: LoadPlan, metrics: LoadMetrics) -> dict[str, Any] | None:
    """Return whether p99 meets the limit: True by its upper bound, False by its lower bound, otherwise None."""
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
    # Without the canary and the time of other processes, which may include generator and target.
    shown = ("steal_cpus", "pressure_share", "load_1min_before", "cpus")
    return {key: seen.as_document()[key] for key in shown} if seen is not None else None


def load_manifest(plan: LoadPlan, target: PinnedAddress) -> dict[str, Any]:
    """Return the conditions of the test: address, plan, bodies, libraries, machine."""
    return {
        "target": {**dataclasses.asdict(target), "is_this_machine": is_this_machine(target.address)},
        "plan": plan.as_document(),
        "bodies": _described_bodies(plan),
        "trusted": _digest_of_certificates(plan),
        "libraries": manifest.library_versions((*LIBRARIES, "hpack") if plan.protocol.is_http2 else LIBRARIES),
        "machine": manifest.describe_machine(),
    }


def _digest_of_certificates(plan: LoadPlan) -> str | None:
    return f"sha256:{hashlib.sha256(Path(plan.ca_file).read_bytes()).hexdigest()}" if plan.ca_file else None


def _described_bodies(plan: LoadPlan) -> dict[str, Any] | None:
    bodies = bodies_of(plan)
    if not bodies:
        return None
    digest = hashlib.sha256()
    for body in bodies:
        digest.update(len(body).to_bytes(8, "big") + body)
    sizes = np.array([len(body) for body in bodies])
    size = {"least": int(sizes.min()), "median": float(np.median(sizes)), "most": int(sizes.max())}
    return {"count": len(bodies), "digest": f"sha256:{digest.hexdigest()}", "bytes": size}
