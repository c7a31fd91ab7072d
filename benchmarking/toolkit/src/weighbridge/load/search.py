"""The highest rate an endpoint bears: short load tests, searched by `measure.highest_rate`."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.core.addresses import Pinned
from weighbridge.core.errors import Invalid
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.report import load_manifest, run_load
from weighbridge.load.results.verdict import HEADLINE
from weighbridge.measure.conditions.manifest import sealed
from weighbridge.measure.deadline import Deadline, OutOfTime
from weighbridge.measure.verdict import Doubt, Status, Verdict, worst
from weighbridge.statistics import highest_rate
from weighbridge.statistics.highest_rate import Edge, SearchSettings, find_highest_rate

SCHEMA = "weighbridge.load_search/1"
# More than the 662 that a p99 needs, so that Poisson's luck does not leave a trial without one.
REQUESTS_MIN = 800
LOWEST_SHARE = 1 / 64


class Stopped(Exception):  # noqa: N818 -- an answer, not a malfunction
    """The search was stopped."""


@dataclasses.dataclass
class Trials:
    """Load tests at one rate after another: what the search asks, and what is kept of each."""

    plan: LoadPlan
    target: Pinned
    caps: LoadCaps
    folder: Path
    on_progress: Callable[[float, str], None]
    should_stop: Callable[[], bool]
    now: datetime
    deadline: Deadline
    share: float = 0.0
    kept: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def ask(self, rate_per_s: float) -> float | None:
        """Test at one rate and return p99 in milliseconds; None where so much failed that there is none.

        Raises Stopped, and OutOfTime where the time was up before the test had come to its end.
        """
        self.deadline.check()
        duration_s = max(self.plan.duration_s, REQUESTS_MIN / rate_per_s)
        seed = self.plan.seed + len(self.kept)
        plan = dataclasses.replace(self.plan, rate_per_s=rate_per_s, duration_s=duration_s, seed=seed)
        folder = self.folder / str(len(self.kept))
        folder.mkdir()
        document, fired = run_load(
            plan,
            self.target,
            caps=self.caps,
            folder=folder,
            on_progress=self._say,
            should_stop=self._should_end,
            now=self.now,
        )
        if fired.is_stopped:
            raise Stopped if self.should_stop() else OutOfTime
        metric = document["metrics"].get(HEADLINE)
        p99_ms = None if metric is None else float(metric["value"])
        self.kept.append(
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

    def _say(self, _share: float, doing: str) -> None:
        self.on_progress(self.share, f"trial {len(self.kept) + 1}: {doing}, {self.deadline.words()}")

    def _should_end(self) -> bool:
        return self.should_stop() or self.deadline.left_s == 0

    def note(self, share: float) -> None:
        """Remember how far the search is."""
        self.share = share


def search_settings(plan: LoadPlan, caps: LoadCaps) -> SearchSettings:
    """Return the range to search: from a 64th of the plan's rate up to the cap, beginning at the plan's rate."""
    return SearchSettings(
        lowest=plan.rate_per_s * LOWEST_SHARE, start=plan.rate_per_s, highest=caps.rate_per_s, seed=plan.seed
    )


def search_highest_rate(trials: Trials) -> dict[str, Any]:
    """Search the highest rate whose p99 stays within the plan's `p99_limit_ms`, as a `weighbridge.load_search/1`
    mapping.

    The plan's rate is where the search begins, its duration the least of one trial. A search that is stopped keeps its
    trials and is marked `is_partial`; so is one whose time is up, which says what its trials agree on. Raises Invalid
    without a limit, and what `run_load` raises.
    """
    plan = trials.plan
    if plan.p99_limit_ms is None:
        raise Invalid("A highest rate is one under a limit; name it with --p99-ms.", field="p99_ms")
    settings, is_partial = search_settings(plan, trials.caps), False
    found: dict[str, Any] = {"limit_ms": plan.p99_limit_ms, "reason": "stopped", "highest_rate_per_s": None}
    try:
        answer = find_highest_rate(trials.ask, limit_ms=plan.p99_limit_ms, settings=settings, on_tick=trials.note)
        found = highest_rate.as_document(answer, limit_ms=plan.p99_limit_ms)
        is_partial = answer.reason is Edge.OUT_OF_TIME
    except Stopped:
        is_partial = True
    return {
        "schema": SCHEMA,
        "measured_at": trials.now.isoformat(),
        "is_partial": is_partial,
        **found,
        "verdict": _judged(trials.kept, found["reason"], plan.p99_limit_ms).as_document(),
        "trials": trials.kept,
        "plan": plan.as_document(),
        "manifest": sealed(
            load_manifest(plan, trials.target)
            | {"search": dataclasses.asdict(settings), "within_s": trials.deadline.within_s}
        ),
    }


def _judged(trials: list[dict[str, Any]], ended: str, limit_ms: float) -> Verdict:
    reasons = []
    late = [trial for trial in trials if "generator.lag" in trial["reasons"]]
    if late:
        beyond = [trial for trial in trials if trial["latency_ms"] is None or trial["latency_ms"] > limit_ms]
        is_own = bool(beyond) and all(trial in late for trial in beyond)
        text = f"In {len(late)} of {len(trials)} trials the generator itself was late; the limit found may be its own."
        reasons.append(Doubt("generator.lag", Status.INVALID if is_own else Status.INDICATIVE, text))
    if any("environment.co_located" in trial["reasons"] for trial in trials):
        text = "Generator and target share this machine and take processors from each other."
        reasons.append(Doubt("environment.co_located", Status.INDICATIVE, text))
    if ended == Edge.OUT_OF_TIME:
        text = "The time was up before the search had an answer; give more with --within."
        reasons.append(Doubt("samples.stopped_early", Status.INVALID, text))
    if ended == "stopped":
        reasons.append(
            Doubt("samples.stopped_early", Status.INVALID, "The search was stopped before it had an answer.")
        )
    return Verdict(worst(reasons), tuple(reasons))
