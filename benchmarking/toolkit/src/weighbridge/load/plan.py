"""The plan of a load test: all settings needed to repeat it, within fixed caps."""

import dataclasses
import math
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import read_json
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.expectation import Expectation

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PROCESSES_MAX = 64
HOURS_OF_WEEK = 168
WARM_CONNECTIONS = 64
# The suffix of a file of bodies that were filled from a template.
FILLED = ".filled"
EXPECT_SUCCESS = Expectation()


class Protocol(StrEnum):
    """The protocol by its name in TLS: HTTP/2 over TLS (h2), or without it and without being negotiated (h2c)."""

    HTTP_1 = "http/1.1"
    HTTP_2 = "h2"
    HTTP_2_CLEAR = "h2c"

    @property
    def is_http2(self) -> bool:
        """Whether several requests share a connection."""
        return self is not Protocol.HTTP_1

    @property
    def words(self) -> str:
        """The name that people read."""
        return "HTTP/2" if self.is_http2 else "HTTP/1.1"


class Arrivals(StrEnum):
    """How requests arrive: constant, Poisson, a Poisson ramp, Poisson with a weekly pattern, or as in a trace."""

    CONSTANT = "constant"
    POISSON = "poisson"
    RAMP = "ramp"
    WEEK = "week"
    TRACE = "trace"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadCaps:
    """The maximum load of one test."""

    rate_per_s: float = 50_000.0
    duration_s: float = 3_600.0
    requests: int = 5_000_000
    connections: int = 4_096
    answer_bytes: int = 10_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyRows:
    """What filled the bodies of a plan: a template, and the `used` of all rows of a data set, in random order."""

    template_digest: str
    data: str
    data_digest: str
    rows: int
    used: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """One load test: address, rate, duration, and expected answers.

    `headers` are sent with each request; `body` names a file (see `messages`), `rows` what filled it, `ca_file` the
    certificates to trust instead of those of the system. `timeout_s` counts from sending a request, and in the
    backlog from its due time. `connections`, users and the rate are divided among `processes`.

    Without `connections`, `warm_connections` are opened before the start and more when a request needs one; with it,
    the pool keeps that size. With `users`, the loop is closed: each user sends a request, waits for its answer, thinks
    for `think_s`, and begins again; the rate is then 0. With `chat`, prompts are sent and answers are streams.
    """

    url: str
    rate_per_s: float
    duration_s: float
    protocol: Protocol = Protocol.HTTP_1
    arrivals: Arrivals = Arrivals.POISSON
    start_rate_per_s: float = 0.0
    week: tuple[float, ...] = ()
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    rows: BodyRows | None = None
    ca_file: str = ""
    connections: int | None = None
    warm_connections: int = WARM_CONNECTIONS
    users: int = 0
    think_s: float = 0.0
    processes: int = 1
    timeout_s: float = 10.0
    expect: Expectation = EXPECT_SUCCESS
    p99_limit_ms: float | None = None
    chat: ChatPlan | None = None
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Raise Invalid for settings that the generator cannot use."""
        if self.method not in METHODS:
            text = f"The method of a load test must be one of {', '.join(METHODS)}, not {self.method!r}."
            raise Invalid(text, field="method")
        self._check_protocol()
        self._check_loop()
        if not (0 < self.duration_s < math.inf and 0 < self.timeout_s < math.inf):
            raise Invalid("Duration and timeout must be positive numbers of seconds.", field="duration")
        if self.seed < 0:
            raise Invalid("The seed must not be negative.", field="seed")
        if (
            not 1
            <= self.processes
            <= min(PROCESSES_MAX, self.connections or PROCESSES_MAX, self.users or PROCESSES_MAX)
        ):
            text = f"Use 1 to {PROCESSES_MAX} processes, with at least one connection and one user each."
            raise Invalid(text, field="processes")
        if self.warm_connections < 1 or (self.connections is not None and self.connections < 1):
            raise Invalid("A load test needs at least one connection.", field="connections")
        is_week = len(self.week) == HOURS_OF_WEEK and min(self.week) >= 0 and max(self.week) > 0
        if self.arrivals is Arrivals.WEEK and not is_week:
            raise Invalid(f"A week needs {HOURS_OF_WEEK} non-negative weights, at least one above zero.", field="week")
        self._check_limit()
        self._check_chat()

    def _check_chat(self) -> None:
        if self.arrivals is Arrivals.TRACE and self.chat is None:
            raise Invalid("Only prompts have the times of a replay; use --chat with --prompts.", field="arrivals")
        if self.chat is None:
            return
        if self.protocol.is_http2:
            raise Invalid("Streamed answers are read over HTTP/1.1; leave out --http2.", field="http2")
        if self.body or self.expect != EXPECT_SUCCESS or self.method != "POST":
            text = "With --chat, prompts are the bodies, and every answer is checked; leave out --body and --expect."
            raise Invalid(text, field="body")
        if self.chat.is_conversation and (self.is_closed or self.arrivals is Arrivals.TRACE):
            text = "Conversations start at a rate and go on after think times; leave out --closed and --arrivals trace."
            raise Invalid(text, field="arrivals")

    def _check_protocol(self) -> None:
        is_secure = self.url.lower().startswith("https://")
        if self.protocol is Protocol.HTTP_2 and not is_secure:
            text = (
                "--http2 negotiates HTTP/2 in TLS, so it needs an address that begins with https://. If the target "
                "speaks HTTP/2 without TLS, use --http2-prior-knowledge."
            )
            raise Invalid(text, field="http2")
        if self.protocol is Protocol.HTTP_2_CLEAR and is_secure:
            raise Invalid("--http2-prior-knowledge is for http://; use --http2 with https://.", field="http2")

    def _check_loop(self) -> None:
        if not self.users >= 0 or not 0 <= self.think_s < math.inf or (self.think_s and not self.users):
            text = "A closed loop needs at least one user; the think time is 0 or more and belongs to a closed loop."
            raise Invalid(text, field="closed")
        if self.is_closed and (self.rate_per_s or self.start_rate_per_s or self.arrivals is not Arrivals.POISSON):
            text = "A closed loop has no rate and no arrivals: its users send when they have thought. Remove them."
            raise Invalid(text, field="closed")
        if not self.is_closed and not (0 < self.rate_per_s < math.inf and 0 <= self.start_rate_per_s < math.inf):
            raise Invalid("The rate must be a positive number of requests per second.", field="rate")

    def _check_limit(self) -> None:
        if self.p99_limit_ms is None:
            return
        if not 0 < self.p99_limit_ms < math.inf:
            raise Invalid("The latency limit must be a positive number of milliseconds.", field="p99_ms")
        if self.p99_limit_ms > self.timeout_s * 1_000:
            # A request that is given up before the limit would count as a failure of the target.
            text = (
                f"The timeout of {self.timeout_s:g} s ends requests before the limit of {self.p99_limit_ms:g} ms; use "
                "a --timeout of at least the limit."
            )
            raise Invalid(text, field="timeout")

    @property
    def is_closed(self) -> bool:
        """Whether users wait for answers before they send again."""
        return self.users > 0

    @property
    def body_name(self) -> str:
        """The name of the file of bodies, or of the template that they were filled from."""
        return Path(self.body).name.removesuffix(FILLED)

    def as_document(self) -> dict[str, Any]:
        """Return the plan as a document, without the values of headers, which may be secrets, and without folders."""
        names = [name for name, _ in self.headers]
        files = {"body": self.body_name, "ca_file": Path(self.ca_file).name}
        chat = {"chat": self.chat.as_document() if self.chat else None}
        return {**dataclasses.asdict(self), "headers": names, **files, **chat}


def check_caps(plan: LoadPlan, caps: LoadCaps) -> None:
    """Raise Invalid if the plan exceeds the caps."""
    rate_per_s = max(plan.rate_per_s, plan.start_rate_per_s)
    checks = (
        ("rate", rate_per_s, caps.rate_per_s, "requests per second"),
        ("duration", plan.duration_s, caps.duration_s, "seconds"),
        ("duration", rate_per_s * plan.duration_s, caps.requests, "requests in all"),
        ("connections", max(plan.connections or 0, plan.users), caps.connections, "connections"),
    )
    for field, requested, maximum, unit in checks:
        if requested > maximum:
            text = f"The plan needs {requested:,.0f} {unit}; at most {maximum:,.0f} are allowed."
            raise Invalid(text, code="over_cap", field=field)


def seconds(text: str, *, field: str = "duration") -> float:
    """Parse `60s`, `2m`, `1.5h`, `500ms` or plain seconds; raise Invalid for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text.strip())
    if match is None:
        raise Invalid(f"Write a duration like 60s, 2m or 500ms, not {text!r}.", field=field)
    return float(match[1]) * UNITS_S[match[2] or "s"]


def protocol_from(*, http2: bool, prior_knowledge: bool) -> Protocol:
    """Return the protocol that the options ask for; raise Invalid for both at once."""
    if http2 and prior_knowledge:
        text = "Use --http2 for an address that begins with https://, --http2-prior-knowledge for http://, not both."
        raise Invalid(text, field="http2")
    return Protocol.HTTP_2 if http2 else Protocol.HTTP_2_CLEAR if prior_knowledge else Protocol.HTTP_1


def arrivals_from(text: str) -> Arrivals:
    """Parse the name of an arrival process; raise Invalid for an unknown one."""
    try:
        return Arrivals(text)
    except ValueError as error:
        names = ", ".join(Arrivals)
        raise Invalid(f"Arrivals must be one of {names}, not {text!r}.", field="arrivals") from error


def read_week(path: Path | None) -> tuple[float, ...]:
    """Read hourly weights from a JSON list; empty without a file; raise Invalid for another format."""
    if path is None:
        return ()
    try:
        return tuple(float(weight) for weight in read_json(path, field="week"))
    except (ValueError, TypeError) as error:
        raise Invalid(f"{path.name} is not a JSON list of {HOURS_OF_WEEK} weights.", field="week") from error
