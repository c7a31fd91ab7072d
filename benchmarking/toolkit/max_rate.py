"""The highest rate of single queries that a model in one process answers within a limit: the search, run on Server trials."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

from benchmarking.toolkit.measure.highest_rate import SearchSettings, as_document, find_highest_rate
from benchmarking.toolkit.measure.manifest import sealed
from benchmarking.toolkit.measure.scenarios import HIGHEST_RATE_PER_S, ProfileSettings, Server, SingleStream
from benchmarking.toolkit.sweep import Profile
from governance.domain.refusals import Refused

SCHEMA = "weighbridge.max_rate/1"
# A queue that grows is cut here: as many times the schedule's own length.
LONGEST = 2.0
FEWEST_FIRST = 200


class NoServiceTime(Refused):
    """The model could not be timed at all, so that no rate can be tried."""

    default_code = "no_service_time"


def find_max_rate(
    profile: Profile,
    *,
    settings: ProfileSettings,
    limit_ms: float,
    samples: int,
    on_progress: Callable[[float, str], None],
    now: datetime,
) -> dict[str, Any]:
    """Find the highest rate (1/s) whose p99 of response time is at most `limit_ms`; return a `weighbridge.max_rate/1` mapping.

    A first run without waiting gives the service time and so the range: a single worker answers no more than one over it.
    Each trial is a Server run of `samples` queries; the last one, at the lower bound, is held to MLPerf's early stopping.
    Raises what `profile` raises, NoServiceTime, and Invalid.
    """
    first = profile(
        _with(settings, SingleStream(**_shared(settings), min_samples=FEWEST_FIRST)), _part(on_progress, 0.0, 0.05)
    )
    middle = first["metrics"].get("latency_p50_ms")
    if middle is None or middle["value"] <= 0:
        raise NoServiceTime("The model could not be timed, so no rate can be tried; see `weighbridge profile`.")
    capacity = min(1_000 / middle["value"], HIGHEST_RATE_PER_S / 1.5)
    asked = {"done": 0.05}

    def run(rate: float, at_least: int) -> dict[str, Any]:
        planned_s = max(at_least / rate, 0.5)
        scenario = Server(
            **_shared(settings), rate_per_s=rate, limit_ms=limit_ms, min_samples=at_least, min_duration_s=0.5,
            max_duration_s=LONGEST * planned_s + 10 * limit_ms / 1_000,
        )  # fmt: skip
        return profile(
            _with(settings, scenario), lambda _share, _doing: on_progress(asked["done"], f"{rate:,.0f} per second")
        )

    doubted: list[str] = []

    def trial(rate: float) -> float | None:
        result = run(rate, samples)
        doubted.extend(reason["code"] for reason in result["verdict"]["reasons"] if reason["status"] == "invalid")
        figure = result["metrics"].get(Server.HEADLINE)
        return None if figure is None or result["metrics"]["error_rate"]["value"] > 0 else float(figure["value"])

    search = SearchSettings(lowest=capacity / 1_000, start=capacity / 4, highest=capacity * 1.5)
    found = find_highest_rate(
        trial, limit_ms=limit_ms, settings=search, on_tick=lambda share: asked.update(done=0.05 + 0.85 * share)
    )
    confirmed = run(found.lower, 2 * samples) if found.lower is not None else None
    return {
        "schema": SCHEMA, "measured_at": now.isoformat(), "is_partial": False,
        **as_document(found, limit_ms=limit_ms),
        "service_time_p50_ms": middle,
        "confirmed_at_lower": confirmed["limit"] if confirmed else None,
        "doubts": sorted(set(doubted)),
        "manifest": sealed({**first["manifest"], "limit_ms": limit_ms, "samples": samples, "search": dataclasses.asdict(search)}),
    }  # fmt: skip


def _shared(settings: ProfileSettings) -> dict[str, Any]:
    scenario = settings.scenario
    return {"threads": scenario.threads, "seed": scenario.seed, "warmup": scenario.warmup}


def _with(settings: ProfileSettings, scenario: SingleStream | Server) -> ProfileSettings:
    return dataclasses.replace(settings, scenario=scenario, measures_quality=False)


def _part(on_progress: Callable[[float, str], None], begin: float, end: float) -> Callable[[float, str], None]:
    return lambda share, doing: on_progress(begin + share * (end - begin), doing)
