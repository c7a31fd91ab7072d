"""The highest rate of single queries that a model serves within a latency limit, searched with Server runs."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from weighbridge.core.errors import Refused
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.deadline import Deadline, OutOfTime
from weighbridge.measure.scenarios import HIGHEST_RATE_PER_S, ProfileSettings, Server, SingleStream
from weighbridge.measure.stopping import Progress
from weighbridge.measure.studies.sweep import TOO_MANY_THREADS, UNCHECKED, Profile
from weighbridge.measure.verdict import MAX_MOVEMENT, Status, ValidityReason, Verdict
from weighbridge.statistics.highest_rate import (
    FOUND,
    HighestRate,
    SearchEnd,
    SearchEnded,
    SearchSettings,
    as_document,
    find_highest_rate,
)
from weighbridge.statistics.trend import growth

SCHEMA = "weighbridge.max_rate/1"
# A trial with a growing queue ends after this multiple of its planned duration.
MAX_STRETCH = 2.0
FEWEST_FIRST = 200
# How often a trial is tried that was missed because the measuring program was late, or its machine disturbed.
TRIES = 3
LAG = "generator.lag"
DISTURBED = ("interference.steal", "interference.canary")


class NoServiceTime(Refused):
    """The model could not be timed, so no rate can be tried."""

    default_code = "no_service_time"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaxRateSettings:
    """The limit of p99 (ms), the queries per trial, and the deadline of the search."""

    limit_ms: float
    samples: int
    deadline: Deadline


def find_max_rate(
    profile: Profile, *, settings: ProfileSettings, limits: MaxRateSettings, on_progress: Progress, now: datetime
) -> dict[str, Any]:
    """Find the highest rate (1/s) with p99 of response time within the limit; return `weighbridge.max_rate/1`.

    A first run gives the service time and the search range: a single worker cannot exceed one over the service time.
    Each trial is a Server run; a final run at the lower bound is checked with the early stopping of MLPerf. If time
    runs out, the result is partial (`is_partial`) and the current trial is stopped. If the measuring program, and not
    the model, limits the trials, there is no highest rate. Raises what `profile` raises, NoServiceTime, and Invalid.
    """
    trials = _Trials(profile, settings, limits, on_progress)
    first, middle = trials.time_one()
    capacity = min(1_000 / middle["value"], HIGHEST_RATE_PER_S / 1.5)
    search = SearchSettings(lowest=capacity / 1_000, start=capacity / 4, highest=capacity * 1.5)
    highest = find_highest_rate(trials.ask, limit_ms=limits.limit_ms, settings=search, on_tick=trials.record_progress)
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": highest.reason is SearchEnd.OUT_OF_TIME,
        **as_document(highest, limit_ms=limits.limit_ms),
        "service_time_p50_ms": middle,
        "confirmed_at_lower": trials.confirm(highest),
        "verdict": Verdict(tuple(trials.reasons(highest.reason))).as_document(),
        "notes": [UNCHECKED],
        "manifest": seal_manifest(
            {
                **first["manifest"],
                "limit_ms": limits.limit_ms,
                "samples": limits.samples,
                "within_s": limits.deadline.within_s,
                "search": dataclasses.asdict(search),
            }
        ),
    }


@dataclasses.dataclass
class _Trials:
    """The runs of one search, which all end at its deadline."""

    profile: Profile
    settings: ProfileSettings
    limits: MaxRateSettings
    on_progress: Progress
    share: float = 0.0
    doubts: dict[str, int] = dataclasses.field(default_factory=dict)
    own_limits: tuple[ValidityReason, ...] = ()

    def time_one(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run sequential queries; return the result and the service time metric."""
        try:
            first = self._run(SingleStream(**self._shared(), min_samples=FEWEST_FIRST), "timing one query")
        except OutOfTime:
            text = "Time ran out before the model was timed, so no rate was tried; allow more time with --within."
            raise NoServiceTime(text) from None
        middle = first["metrics"].get("latency_p50_ms")
        if middle is None or middle["value"] <= 0:
            reasons = [
                reason["message"] for reason in first["verdict"]["reasons"] if reason["status"] == Status.INVALID
            ]
            raise NoServiceTime(" ".join(("The model could not be timed, so no rate can be tried.", *reasons)))
        return first, middle

    def ask(self, rate: float) -> float | None:
        """Return p99 of the response time (ms) at a rate; None if queries failed or too few were answered.

        Queries that pile up in two trials miss the limit, because a longer trial would. Raises SearchEnded if the
        measuring program limits the trial: at once if it lacks processors, and after the last of `TRIES` if it was
        late.
        """
        for attempt in range(TRIES):
            result = self._serve(rate, self.limits.samples)
            for reason in result["verdict"]["reasons"]:
                if reason["status"] == Status.INVALID:
                    self.doubts[reason["code"]] = self.doubts.get(reason["code"], 0) + 1
            self.own_limits = tuple(own_limits(result, limit_ms=self.limits.limit_ms))
            was_disturbed = bool(self.own_limits) and TOO_MANY_THREADS not in {each.code for each in self.own_limits}
            is_piling_up = piles_up(result, limit_ms=self.limits.limit_ms)
            if not was_disturbed and not (is_piling_up and attempt == 0):
                break
        if self.own_limits:
            raise SearchEnded(SearchEnd.CLIENT_LIMIT)
        metric = result["metrics"].get(Server.HEADLINE)
        is_missed = metric is None or result["metrics"]["error_rate"]["value"] > 0 or is_piling_up
        return None if is_missed else float(metric["value"])

    def reasons(self, ended: SearchEnd) -> Iterator[ValidityReason]:
        """Yield why the answer is doubtful, or none."""
        yield from self.own_limits
        own = {reason.code for reason in self.own_limits}
        for code, times in sorted(self.doubts.items()):
            if code not in own:
                text = f"In {times} trials the measurement was invalid for this reason; see `weighbridge profile`."
                yield ValidityReason(code, Status.INDICATIVE, text)
        if ended is SearchEnd.NO_FAILURE:
            text = "No trial missed the limit up to the highest rate tried; use a stricter limit, or more --samples."
            yield ValidityReason("search.range", Status.INVALID, text)
        if ended is SearchEnd.OUT_OF_TIME:
            text = "Time ran out before the search had an answer; allow more time with --within."
            yield ValidityReason("samples.stopped_early", Status.INVALID, text)

    def confirm(self, highest: HighestRate) -> dict[str, Any] | None:
        """Check the limit with a final run at the lower bound; None without a bound or enough time."""
        if highest.lower is None or highest.reason not in FOUND:
            return None
        try:
            confirmed: dict[str, Any] = self._serve(highest.lower, 2 * self.limits.samples)["limit"]
        except OutOfTime:
            return None
        return confirmed

    def record_progress(self, share: float) -> None:
        """Record the progress of the search."""
        self.share = 0.05 + 0.85 * share

    def _serve(self, rate: float, at_least: int) -> dict[str, Any]:
        planned_s, limit_ms = max(at_least / rate, 0.5), self.limits.limit_ms
        scenario = Server(
            **self._shared(),
            rate_per_s=rate,
            limit_ms=limit_ms,
            min_samples=at_least,
            min_duration_s=0.5,
            max_duration_s=MAX_STRETCH * planned_s + 10 * limit_ms / 1_000,
        )
        return self._run(scenario, f"{rate:,.0f} per second")

    def _run(self, scenario: SingleStream | Server, phase: str) -> dict[str, Any]:
        """Run one scenario; its progress callback checks the deadline and stops the run after it."""
        deadline = self.limits.deadline

        def follow(_share: float, _phase: str) -> None:
            deadline.check()
            self.on_progress(self.share, f"{phase}, {deadline.words()}")

        deadline.check()
        return self.profile(dataclasses.replace(self.settings, scenario=scenario, measures_quality=False), follow)

    def _shared(self) -> dict[str, Any]:
        scenario = self.settings.scenario
        return {"threads": scenario.threads, "seed": scenario.seed, "warmup": scenario.warmup}


def piles_up(result: Mapping[str, Any], *, limit_ms: float) -> bool:
    """Whether response times within the limit grew during a trial, so that a longer one would miss it."""
    metric = result["metrics"].get(Server.HEADLINE)
    if metric is None or metric["value"] > limit_ms:
        return False
    grown = growth(np.array(result["samples"]["response_ns"], dtype=np.float64))
    return grown is not None and grown.change > MAX_MOVEMENT


def own_limits(result: Mapping[str, Any], *, limit_ms: float) -> Iterator[ValidityReason]:
    """Yield the reasons why a trial says nothing about the model.

    These are more threads than processors, a disturbed machine where the limit was missed, and a late program where the
    limit was missed only because of that.
    """
    reasons = {reason["code"]: reason for reason in result["verdict"]["reasons"]}
    if TOO_MANY_THREADS in reasons:
        text = f"{reasons[TOO_MANY_THREADS]['message']} They wait for each other; use fewer --threads."
        yield ValidityReason(TOO_MANY_THREADS, Status.INVALID, text)
    metric = result["metrics"].get(Server.HEADLINE)
    p99_ms = math.inf if metric is None else metric["value"]
    lag_ms = result["metrics"].get("generator_lag_p99_ms", {}).get("value", 0.0)
    causes = [*DISTURBED, *([LAG] if p99_ms - lag_ms <= limit_ms else [])]
    for code in causes:
        if p99_ms > limit_ms and code in reasons and reasons[code]["status"] == Status.INVALID:
            text = (
                f"{reasons[code]['message']} The model may do better: use a less busy machine, or another --affinity."
            )
            yield ValidityReason(code, Status.INVALID, text)
