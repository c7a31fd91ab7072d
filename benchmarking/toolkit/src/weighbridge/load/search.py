"""The highest rate of an endpoint: short load tests, searched by `statistics.highest_rate`.

What is limited is p99 of the response time, or for a language model the share of answers that miss a limit.

A trial that the generator limits, and not the target, ends the search: it is repeated first if the generator was only
late, because other work on the machine may have caused that.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid
from weighbridge.load.generator.generator import GeneratorFailed, GeneratorResult
from weighbridge.load.plan import LoadCaps, LoadPlan
from weighbridge.load.results.client_limits import LAG, limits_of_client
from weighbridge.load.results.metrics import HEADLINE, LoadMetrics
from weighbridge.load.results.report import load_manifest, notes, run_load
from weighbridge.load.results.verdict import SATURATED, STEADY
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.deadline import Deadline, OutOfTime
from weighbridge.measure.stopping import Progress
from weighbridge.measure.verdict import Status, ValidityReason, Verdict
from weighbridge.statistics.highest_rate import (
    HighestRate,
    SearchEnd,
    SearchEnded,
    SearchSettings,
    as_document,
    find_highest_rate,
)

SCHEMA = "weighbridge.load_search/1"
# More than the 662 that a p99 needs, because a Poisson process may send fewer requests than expected.
REQUESTS_MIN = 800
# Those of a language model take seconds, and no percentile is asked of them.
CHAT_REQUESTS_MIN = 200
LOWEST_SHARE = 1 / 64
CARRIED = ("cache.warm", "cache.unknown", "model.changed", "output.truncated", "tokens.unknown", "tokens.mismatch")
# How often a trial is tried in which the generator was late; twice if requests pile up, because both may be chance.
TRIES = 3
# Connections opened before a trial, by those that the last one needed at once.
ROOM = 1.5


@dataclasses.dataclass
class Trials:
    """The load tests of a search, and their results.

    `own_limits` are the reasons why the generator ended it, `doubts` the last doubt of each kind about prompts, tokens
    and streams, which hold for the search as they hold for a trial.
    """

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
    own_limits: tuple[ValidityReason, ...] = ()
    doubts: dict[str, ValidityReason] = dataclasses.field(default_factory=dict)
    warm_per_rate: float = 0.0

    def ask(self, rate_per_s: float) -> float | None:
        """Test at one rate and return what is limited, None if it has no value; raise SearchEnded or OutOfTime."""
        for attempt in range(TRIES):
            limited, self.own_limits = self._try(rate_per_s)
            was_late = {reason.code for reason in self.own_limits} == {LAG}
            is_within = limited is not None and limited <= limit_of(self.plan)
            piles_up = is_within and SATURATED in self.results[-1]["reasons"]
            if not was_late and not (piles_up and attempt == 0):
                break
        if self.own_limits:
            raise SearchEnded(SearchEnd.CLIENT_LIMIT)
        # In a longer trial, requests that pile up would miss the limit.
        return None if piles_up else limited

    def _try(self, rate_per_s: float) -> tuple[float | None, tuple[ValidityReason, ...]]:
        self.deadline.check()
        plan = self._plan_at(rate_per_s)
        document, result = self._run(plan)
        if result.is_stopped:
            raise SearchEnded(SearchEnd.STOPPED) if self.should_stop() else OutOfTime
        metrics = LoadMetrics(document["metrics"], [])
        own_limits = limits_of_client(plan, result, metrics)
        limited = limited_value(plan, metrics)
        for reason in document["verdict"]["reasons"]:
            if reason["code"] in CARRIED:
                self.doubts[reason["code"]] = ValidityReason(**{**reason, "status": Status(reason["status"])})
        if limited is not None and limited <= limit_of(plan):
            self.warm_per_rate = result.peak / rate_per_s
        self.results.append(
            {
                "rate_per_s": rate_per_s,
                **_limited_words(plan, metrics),
                "duration_s": plan.duration_s,
                "achieved_per_s": document["metrics"]["achieved_per_s"]["value"],
                "error_rate": document["metrics"]["error_rate"]["value"],
                "reasons": [reason["code"] for reason in document["verdict"]["reasons"]],
                "limited_by": [reason.code for reason in own_limits],
            }
        )
        return limited, own_limits

    def _plan_at(self, rate_per_s: float) -> LoadPlan:
        requests_min = REQUESTS_MIN if self.plan.chat is None else CHAT_REQUESTS_MIN
        warm = math.ceil(ROOM * self.warm_per_rate * rate_per_s)
        return dataclasses.replace(
            self.plan,
            rate_per_s=rate_per_s,
            duration_s=max(self.plan.duration_s, requests_min / rate_per_s),
            seed=self.plan.seed + len(self.results),
            warm_connections=min(self.caps.connections, max(self.plan.warm_connections, warm)),
        )

    def _run(self, plan: LoadPlan) -> tuple[dict[str, Any], GeneratorResult]:
        folder = self.folder / str(len(self.results))
        folder.mkdir()
        try:
            return run_load(
                plan,
                self.target,
                caps=self.caps,
                folder=folder,
                on_progress=self._report,
                should_stop=self._should_end,
                now=self.now,
            )
        except GeneratorFailed as failed:
            if not self.results or self._should_end():
                raise
            text = f"Trial {len(self.results) + 1}, at {plan.rate_per_s:,.0f} per second, failed: {failed.reason}"
            self.own_limits = (ValidityReason("trial.failed", Status.INVALID, text),)
            raise SearchEnded(SearchEnd.TRIAL_FAILED) from failed

    def _report(self, _share: float, phase: str) -> None:
        self.on_progress(self.share, f"trial {len(self.results) + 1}: {phase}, {self.deadline.words()}")

    def _should_end(self) -> bool:
        return self.should_stop() or self.deadline.left_s == 0

    def record_progress(self, share: float) -> None:
        """Record the progress of the search."""
        self.share = share


def limited_value(plan: LoadPlan, metrics: LoadMetrics) -> float | None:
    """Return what a search limits: p99 in ms, or the share of answers that miss the limits of `chat`."""
    if plan.chat is None:
        return metrics.value(HEADLINE)
    share = metrics.value("good_share")
    return None if share is None else 1 - share


def limit_of(plan: LoadPlan) -> float:
    """Return the largest value that `limited_value` may have; 0 without a limit."""
    return (plan.p99_limit_ms or 0.0) if plan.chat is None else 1 - plan.chat.limits.share


def _limited_words(plan: LoadPlan, metrics: LoadMetrics) -> dict[str, Any]:
    if plan.chat is None:
        return {"latency_ms": metrics.value(HEADLINE)}
    return {"good_share": metrics.value("good_share"), "goodput_per_s": metrics.value("goodput_per_s")}


def _check_search(plan: LoadPlan, caps: LoadCaps) -> None:
    has_limit = plan.p99_limit_ms is not None if plan.chat is None else plan.chat.limits.is_some
    if not has_limit or plan.is_closed:
        option = "--p99-ms" if plan.chat is None else "--ttft-ms, --tpot-ms, --e2e-ms or --limits"
        text = f"The search needs a limit and an open loop; give {option}, and no --closed."
        raise Invalid(text, field="p99_ms")
    if plan.arrivals not in STEADY or (plan.chat is not None and plan.chat.is_conversation):
        text = f"The search needs a steady rate; use --arrivals poisson or constant, not {plan.arrivals}."
        if plan.arrivals in STEADY:
            text = "The search needs a steady rate; prompts with sessions have none."
        raise Invalid(text, field="arrivals")
    if plan.rate_per_s > caps.rate_per_s:
        most = caps.rate_per_s
        text = f"The search starts at {plan.rate_per_s:,.0f} requests per second; at most {most:,.0f} are allowed."
        raise Invalid(text, code="over_cap", field="rate")


def search_highest_rate(trials: Trials) -> dict[str, Any]:
    """Search the highest rate within the limits of the plan; return `weighbridge.load_search/1`.

    The search starts at the rate of the plan, from a 64th of it up to the cap; the duration of the plan is the minimum
    of one trial. A stopped or timed-out search is partial (`is_partial`) and keeps its trials; so does one whose
    generator is the limit, which has no highest rate. Raises Invalid without a limit or with a closed loop, and what
    `run_load` raises in the first trial.
    """
    plan = trials.plan
    _check_search(plan, trials.caps)
    described, start = load_manifest(plan, trials.target), plan.rate_per_s
    settings = SearchSettings(lowest=start * LOWEST_SHARE, start=start, highest=trials.caps.rate_per_s, seed=plan.seed)
    answer = find_highest_rate(trials.ask, limit_ms=limit_of(plan), settings=settings, on_tick=trials.record_progress)
    return {
        "schema": SCHEMA,
        "measured_at": trials.now.isoformat(),
        "is_partial": answer.reason in PARTIAL,
        **_answer_of(plan, answer),
        "verdict": Verdict(tuple(_reasons(trials, answer.reason))).as_document(),
        "trials": trials.results,
        "notes": list(notes(plan)),
        "plan": plan.as_document(),
        "manifest": seal_manifest(
            described | {"search": dataclasses.asdict(settings), "within_s": trials.deadline.within_s}
        ),
    }


def _answer_of(plan: LoadPlan, answer: HighestRate) -> dict[str, Any]:
    """Return the answer as a document; the limit of a language model is the share of good answers, and has no ms."""
    document = as_document(answer, limit_ms=limit_of(plan))
    if plan.chat is None:
        return document
    limits = plan.chat.limits
    return {**document, "limit_ms": None, "good_share": limits.share, "limits": limits.words(), "source": limits.source}


PARTIAL = (SearchEnd.OUT_OF_TIME, SearchEnd.STOPPED, SearchEnd.TRIAL_FAILED)
ENDS = {
    SearchEnd.NO_FAILURE: (
        "search.range",
        "No trial missed the limit up to the highest rate that one test may have; several machines can send more.",
    ),
    SearchEnd.OUT_OF_TIME: (
        "samples.stopped_early",
        "Time ran out before the search had an answer; allow more time with --within.",
    ),
    SearchEnd.STOPPED: ("samples.stopped_early", "The search was stopped before it had an answer."),
}


def _reasons(trials: Trials, ended: SearchEnd) -> Iterator[ValidityReason]:
    yield from trials.own_limits
    results = trials.results
    late = [trial for trial in results if LAG in trial["reasons"]]
    if late and LAG not in {reason.code for reason in trials.own_limits}:
        text = f"In {len(late)} of {len(results)} trials the generator itself was late."
        yield ValidityReason(LAG, Status.INDICATIVE, text)
    if any("answers.streamed" in trial["reasons"] for trial in results):
        text = "The target streams its answers: the highest rate depends on the mix of requests, and on their lengths."
        yield ValidityReason("answers.streamed", Status.INDICATIVE, text)
    yield from trials.doubts.values()
    if any("environment.co_located" in trial["reasons"] for trial in results):
        text = "Generator and target share the processors of this machine."
        yield ValidityReason("environment.co_located", Status.INDICATIVE, text)
    if ended in ENDS:
        code, text = ENDS[ended]
        yield ValidityReason(code, Status.INVALID, text)
