"""The highest rate of an endpoint: short load tests, searched by `statistics.highest_rate`."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.report import load_manifest, run_load
from weighbridge.load.results.verdict import HEADLINE
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.deadline import Deadline, OutOfTime
from weighbridge.measure.stopping import Progress
from weighbridge.measure.verdict import Status, ValidityReason, Verdict
from weighbridge.statistics import highest_rate
from weighbridge.statistics.highest_rate import SearchEnd, SearchSettings, find_highest_rate

SCHEMA = "weighbridge.load_search/1"
# More than the 662 that a p99 needs, because a Poisson process may send fewer requests than expected.
REQUESTS_MIN = 800
LOWEST_SHARE = 1 / 64


class Stopped(Exception):  # noqa: N818 -- a control signal, not an error
    """The search was stopped."""


@dataclasses.dataclass
class Trials:
    """The load tests of a search, and their results."""

    plan: LoadPlan
    target: PinnedAddress
    caps: LoadCaps
    folder: Path
    on_progress: Progress
    should_stop: Callable[[], bool]
    now: datetime
    deadline: Deadline
    share: float = 0.0
    results: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def ask(self, rate_per_s: float) -> float | None:
        """Test at one rate and return p99 in ms, None if too many requests failed; raise Stopped or OutOfTime."""
        self.deadline.check()
        duration_s = max(self.plan.duration_s, REQUESTS_MIN / rate_per_s)
        seed = self.plan.seed + len(self.results)
        plan = dataclasses.replace(self.plan, rate_per_s=rate_per_s, duration_s=duration_s, seed=seed)
        folder = self.folder / str(len(self.results))
        folder.mkdir()
        document, result = run_load(
            plan,
            self.target,
            caps=self.caps,
            folder=folder,
            on_progress=self._report,
            should_stop=self._should_end,
            now=self.now,
        )
        if result.is_stopped:
            raise Stopped if self.should_stop() else OutOfTime
        metric = document["metrics"].get(HEADLINE)
        p99_ms = None if metric is None else float(metric["value"])
        self.results.append(
            {
                "rate_per_s": rate_per_s,
                "latency_ms": p99_ms,
                "duration_s": duration_s,
                "achieved_per_s": document["metrics"]["achieved_per_s"]["value"],
                "error_rate": document["metrics"]["error_rate"]["value"],
                "reasons": [reason["code"] for reason in document["verdict"]["reasons"]],
            }
        )
        return p99_ms

    def _report(self, _share: float, phase: str) -> None:
        self.on_progress(self.share, f"trial {len(self.results) + 1}: {phase}, {self.deadline.words()}")

    def _should_end(self) -> bool:
        return self.should_stop() or self.deadline.left_s == 0

    def record_progress(self, share: float) -> None:
        """Record the progress of the search."""
        self.share = share


def search_highest_rate(trials: Trials) -> dict[str, Any]:
    """Search the highest rate with p99 within `p99_limit_ms` of the plan; return `weighbridge.load_search/1`.

    The search starts at the rate of the plan, from a 64th of it up to the cap; the duration of the plan is the minimum
    of one trial. A stopped or timed-out search is partial (`is_partial`) and keeps its trials. Raises Invalid without a
    limit, and what `run_load` raises.
    """
    plan, is_partial = trials.plan, False
    if plan.p99_limit_ms is None:
        raise Invalid("The search needs a latency limit; give it with --p99-ms.", field="p99_ms")
    start, highest_per_s = plan.rate_per_s, trials.caps.rate_per_s
    settings = SearchSettings(lowest=start * LOWEST_SHARE, start=start, highest=highest_per_s, seed=plan.seed)
    highest: dict[str, Any] = {"limit_ms": plan.p99_limit_ms, "reason": "stopped", "highest_rate_per_s": None}
    try:
        answer = find_highest_rate(
            trials.ask, limit_ms=plan.p99_limit_ms, settings=settings, on_tick=trials.record_progress
        )
        highest = highest_rate.as_document(answer, limit_ms=plan.p99_limit_ms)
        is_partial = answer.reason is SearchEnd.OUT_OF_TIME
    except Stopped:
        is_partial = True
    return {
        "schema": SCHEMA,
        "measured_at": trials.now.isoformat(),
        "is_partial": is_partial,
        **highest,
        "verdict": Verdict(tuple(_reasons(trials.results, highest["reason"], plan.p99_limit_ms))).as_document(),
        "trials": trials.results,
        "plan": plan.as_document(),
        "manifest": seal_manifest(
            load_manifest(plan, trials.target)
            | {"search": dataclasses.asdict(settings), "within_s": trials.deadline.within_s}
        ),
    }


def _reasons(trials: list[dict[str, Any]], ended: str, limit_ms: float) -> Iterator[ValidityReason]:
    late = [trial for trial in trials if "generator.lag" in trial["reasons"]]
    if late:
        above_limit = [trial for trial in trials if trial["latency_ms"] is None or trial["latency_ms"] > limit_ms]
        is_own = bool(above_limit) and all(trial in late for trial in above_limit)
        text = f"In {len(late)} of {len(trials)} trials the generator itself was late; it may be the bottleneck."
        yield ValidityReason("generator.lag", Status.INVALID if is_own else Status.INDICATIVE, text)
    if any("environment.co_located" in trial["reasons"] for trial in trials):
        text = "Generator and target share the processors of this machine."
        yield ValidityReason("environment.co_located", Status.INDICATIVE, text)
    if ended == SearchEnd.OUT_OF_TIME:
        text = "Time ran out before the search had an answer; allow more time with --within."
        yield ValidityReason("samples.stopped_early", Status.INVALID, text)
    if ended == "stopped":
        text = "The search was stopped before it had an answer."
        yield ValidityReason("samples.stopped_early", Status.INVALID, text)
