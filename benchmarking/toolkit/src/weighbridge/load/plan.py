"""The plan of a load test: everything that decides it, so that it can be repeated, within caps that nobody lifts."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.load.expectation import Expectation
from weighbridge.load.schedule import HOURS_OF_WEEK, Arrivals

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PROCESSES_MAX = 64
EXPECT_SUCCESS = Expectation()


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadCaps:
    """The most that one test may ask of a target."""

    rate_per_s: float = 50_000.0
    duration_s: float = 3_600.0
    requests: int = 5_000_000
    connections: int = 4_096
    answer_bytes: int = 10_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """One load test: where to, how often, for how long, and what is expected of the answers.

    `headers` are sent with each request; `body` names a file (see `messages`). `timeout_s` counts from the moment a
    request is sent, and before that from the moment it is due. `connections` and the rate are shared out over
    `processes`.
    """

    url: str
    rate_per_s: float
    duration_s: float
    arrivals: Arrivals = Arrivals.POISSON
    start_rate_per_s: float = 0.0
    week: tuple[float, ...] = ()
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    connections: int = 64
    processes: int = 1
    timeout_s: float = 10.0
    expect: Expectation = EXPECT_SUCCESS
    p99_limit_ms: float | None = None
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse settings that no generator can follow."""
        if self.method not in METHODS:
            raise Invalid(f"A load test sends {', '.join(METHODS)}, not {self.method!r}.", field="method")
        if self.rate_per_s <= 0 or self.start_rate_per_s < 0:
            raise Invalid("A rate is a positive number of requests per second.", field="rate")
        if self.duration_s <= 0 or self.timeout_s <= 0:
            raise Invalid("Duration and time-out are positive numbers of seconds.", field="duration")
        if self.seed < 0:
            raise Invalid("The seed must be zero or a positive whole number.", field="seed")
        if not 1 <= self.processes <= min(PROCESSES_MAX, self.connections):
            raise Invalid(f"Use 1 to {PROCESSES_MAX} processes, each with a connection of its own.", field="processes")
        if self.arrivals is Arrivals.WEEK and not is_week(self.week):
            raise Invalid(f"A week is {HOURS_OF_WEEK} weights of zero or more, one above zero.", field="week")
        if self.p99_limit_ms is not None and self.p99_limit_ms <= 0:
            raise Invalid("A limit of latency is a positive number of milliseconds.", field="p99_ms")

    def as_document(self) -> dict[str, Any]:
        """Return the plan as JSON-able mappings. Values of headers are left out: they may be secrets.

        Of the body file its name alone is told; where it lay is no condition of the test.
        """
        names = [name for name, _ in self.headers]
        return {**dataclasses.asdict(self), "headers": names, "body": Path(self.body).name}


def is_week(weights: tuple[float, ...]) -> bool:
    """Whether these are 168 weights that give a rate."""
    return len(weights) == HOURS_OF_WEEK and min(weights) >= 0 and max(weights) > 0


def check_caps(plan: LoadPlan, caps: LoadCaps) -> None:
    """Raise Invalid where the plan asks for more than the caps allow, and say how much is allowed."""
    expected = max(plan.rate_per_s, plan.start_rate_per_s) * plan.duration_s
    asked = (
        ("rate", max(plan.rate_per_s, plan.start_rate_per_s), caps.rate_per_s, "requests per second"),
        ("duration", plan.duration_s, caps.duration_s, "seconds"),
        ("duration", expected, caps.requests, "requests in all"),
        ("connections", plan.connections, caps.connections, "connections"),
    )
    for field, wanted, most, unit in asked:
        if wanted > most:
            text = f"The plan asks for {wanted:,.0f} {unit}; at most {most:,.0f} are allowed."
            raise Invalid(text, code="over_cap", field=field)


def seconds(text: str, *, field: str = "duration") -> float:
    """Read `60s`, `2m`, `1.5h`, `500ms` or plain seconds; raise Invalid for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text.strip())
    if found is None:
        raise Invalid(f"Write a duration like 60s, 2m or 500ms, not {text!r}.", field=field)
    return float(found[1]) * UNITS_S[found[2] or "s"]


def arrivals_from(text: str) -> Arrivals:
    """Read the name of an arrival process; raise Invalid for another."""
    try:
        return Arrivals(text)
    except ValueError as error:
        names = ", ".join(Arrivals)
        raise Invalid(f"Requests arrive as one of {names}, not as {text!r}.", field="arrivals") from error


def read_week(path: Path | None) -> tuple[float, ...]:
    """Read hourly weights from a JSON list, none without a file; raise Invalid where it is no list of numbers."""
    if path is None:
        return ()
    try:
        return tuple(float(weight) for weight in json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise Invalid(f"{path.name} holds no JSON list of {HOURS_OF_WEEK} weights.", field="week") from error
