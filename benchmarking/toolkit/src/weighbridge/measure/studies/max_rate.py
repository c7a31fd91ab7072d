"""The highest rate of single queries that a model in one process answers within a limit: the search, run on Server
trials.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

from weighbridge.core.errors import Refused
from weighbridge.measure.conditions.manifest import sealed
from weighbridge.measure.deadline import Deadline, OutOfTime
from weighbridge.measure.scenarios import HIGHEST_RATE_PER_S, ProfileSettings, Server, SingleStream
from weighbridge.measure.studies.sweep import Profile
from weighbridge.statistics.highest_rate import Edge, HighestRate, SearchSettings, as_document, find_highest_rate

SCHEMA = "weighbridge.max_rate/1"
# A queue that grows is cut here: as many times the schedule's own length.
LONGEST = 2.0
FEWEST_FIRST = 200


class NoServiceTime(Refused):
    """The model could not be timed at all, so that no rate can be tried."""

    default_code = "no_service_time"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What is searched: the limit of p99 (ms), the queries in a trial, and the time that all of it may take."""

    limit_ms: float
    samples: int
    deadline: Deadline


def find_max_rate(
    profile: Profile,
    *,
    settings: ProfileSettings,
    asked: Asked,
    on_progress: Callable[[float, str], None],
    now: datetime,
) -> dict[str, Any]:
    """Find the highest rate (1/s) whose p99 of response time is within the limit; return a `weighbridge.max_rate/1`
    mapping.

    A first run without waiting gives the service time and so the range: a single worker answers no more than one over
    it. Each trial is a Server run; the last one, at the lower bound, is held to MLPerf's early stopping. A search whose
    time is up before it has an answer says what it knows and is marked `is_partial`; the trial under way is stopped.
    Raises what `profile` raises, NoServiceTime, and Invalid.
    """
    trials = _Trials(profile, settings, asked, on_progress)
    first, middle = trials.time_one()
    capacity = min(1_000 / middle["value"], HIGHEST_RATE_PER_S / 1.5)
    search = SearchSettings(lowest=capacity / 1_000, start=capacity / 4, highest=capacity * 1.5)
    found = find_highest_rate(trials.ask, limit_ms=asked.limit_ms, settings=search, on_tick=trials.note)
    return {
        "schema": SCHEMA,
        "measured_at": now.isoformat(),
        "is_partial": found.reason is Edge.OUT_OF_TIME,
        **as_document(found, limit_ms=asked.limit_ms),
        "service_time_p50_ms": middle,
        "confirmed_at_lower": trials.confirm(found),
        "doubts": sorted(set(trials.doubts)),
        "manifest": sealed(
            {
                **first["manifest"],
                "limit_ms": asked.limit_ms,
                "samples": asked.samples,
                "within_s": asked.deadline.within_s,
                "search": dataclasses.asdict(search),
            }
        ),
    }


@dataclasses.dataclass
class _Trials:
    """The runs of one search, none of which outlasts its deadline."""

    profile: Profile
    settings: ProfileSettings
    asked: Asked
    on_progress: Callable[[float, str], None]
    share: float = 0.0
    doubts: list[str] = dataclasses.field(default_factory=list)

    def time_one(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask one query after the other; return the result and its metric of the service time."""
        try:
            first = self._run(SingleStream(**self._shared(), min_samples=FEWEST_FIRST), "timing one query")
        except OutOfTime:
            text = "The time was up before the model was timed, so no rate was tried; give more with --within."
            raise NoServiceTime(text) from None
        middle = first["metrics"].get("latency_p50_ms")
        if middle is None or middle["value"] <= 0:
            raise NoServiceTime("The model could not be timed, so no rate can be tried; see `weighbridge profile`.")
        return first, middle

    def ask(self, rate: float) -> float | None:
        """Return p99 of the response time (ms) at a rate, None where queries failed or too few were answered."""
        result = self._serve(rate, self.asked.samples)
        self.doubts.extend(reason["code"] for reason in result["verdict"]["reasons"] if reason["status"] == "invalid")
        metric = result["metrics"].get(Server.HEADLINE)
        return None if metric is None or result["metrics"]["error_rate"]["value"] > 0 else float(metric["value"])

    def confirm(self, found: HighestRate) -> dict[str, Any] | None:
        """Hold a last run, at the lower bound, to the limit; None without a bound, or without time for it."""
        if found.lower is None or found.reason is Edge.OUT_OF_TIME:
            return None
        try:
            confirmed: dict[str, Any] = self._serve(found.lower, 2 * self.asked.samples)["limit"]
        except OutOfTime:
            return None
        return confirmed

    def note(self, share: float) -> None:
        """Remember how far the search is."""
        self.share = 0.05 + 0.85 * share

    def _serve(self, rate: float, at_least: int) -> dict[str, Any]:
        planned_s, limit_ms = max(at_least / rate, 0.5), self.asked.limit_ms
        scenario = Server(
            **self._shared(),
            rate_per_s=rate,
            limit_ms=limit_ms,
            min_samples=at_least,
            min_duration_s=0.5,
            max_duration_s=LONGEST * planned_s + 10 * limit_ms / 1_000,
        )
        return self._run(scenario, f"{rate:,.0f} per second")

    def _run(self, scenario: SingleStream | Server, doing: str) -> dict[str, Any]:
        """Run one scenario; whoever is told of its progress looks at the time, and a run that is stopped
        there is dead.
        """
        deadline = self.asked.deadline

        def follow(_share: float, _doing: str) -> None:
            deadline.check()
            self.on_progress(self.share, f"{doing}, {deadline.words()}")

        deadline.check()
        return self.profile(dataclasses.replace(self.settings, scenario=scenario, measures_quality=False), follow)

    def _shared(self) -> dict[str, Any]:
        scenario = self.settings.scenario
        return {"threads": scenario.threads, "seed": scenario.seed, "warmup": scenario.warmup}
