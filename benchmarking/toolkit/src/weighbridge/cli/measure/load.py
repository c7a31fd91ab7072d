"""`weighbridge load`."""

import contextlib
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli.exits import DONE, INTERRUPTED, NO, stop, write_json
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import NoReturn

    from weighbridge.core.addresses import Pinned
    from weighbridge.load.generator.generator import Fired
    from weighbridge.load.plan import Plan


StatusesOption = Annotated[list[int] | None, typer.Option(help="Status of a right answer; otherwise any 2xx.")]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(envvar="WEIGHBRIDGE_LOAD_ALLOW", help="Other machine that may be called, HOST or HOST=NETWORK."),
]


def load(  # noqa: PLR0913 -- every option of the command line
    url: Annotated[str, typer.Argument(help="Address of the endpoint, http:// or https://.")],
    rate: Annotated[float, typer.Option(help="Requests per second; of a ramp or a week, the highest.")] = 100.0,
    duration: Annotated[str, typer.Option(help="How long requests are sent: 60s, 2m; of a search, 5s a trial.")] = "",
    arrivals: Annotated[str, typer.Option(help="constant, poisson, ramp or week.")] = "poisson",
    start_rate: Annotated[float, typer.Option(help="Rate at which a ramp begins.")] = 0.0,
    week: Annotated[Path | None, typer.Option(help="JSON list of 168 hourly weights, for --arrivals week.")] = None,
    method: Annotated[str, typer.Option(help="HTTP method; POST where there is a body.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="'Name: value', as often as needed.")] = None,
    body: Annotated[Path | None, typer.Option(help="Body file; .jsonl or .npz (x) hold many, sent in turn.")] = None,
    connections: Annotated[int, typer.Option(help="Connections kept open; rate x latency of them are needed.")] = 64,
    processes: Annotated[int, typer.Option(help="Processes of the generator.")] = 1,
    timeout: Annotated[str, typer.Option(help="How long an answer may take.")] = "10s",
    expect_status: StatusesOption = None,
    expect_json_key: Annotated[str, typer.Option(help="Key that answers hold, like predictions.0.")] = "",
    expect_body_sha256: Annotated[str, typer.Option(help="SHA-256 of a right answer's body.")] = "",
    check_every: Annotated[int, typer.Option(help="Check the body of every k-th answer.")] = 10,
    p99_ms: Annotated[float | None, typer.Option(help="Limit of p99: say whether it is held.")] = None,
    find_max: Annotated[bool, typer.Option("--find-max", help="Search the highest rate under --p99-ms.")] = False,
    within: Annotated[str, typer.Option(help="How long a search may take in all, like 90s; 30m when left out.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the schedule.")] = 20_260_101,
    allow: AllowOption = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here, samples beside it.")] = None,
    hdr: Annotated[Path | None, typer.Option(help="Write response times here as an HdrHistogram log.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Send requests to an endpoint on a schedule that never waits for it, and measure what its users would feel."""
    from weighbridge.load.expectation import Expectation
    from weighbridge.load.messages import header_from
    from weighbridge.load.plan import Plan, arrivals_from, read_week, seconds

    try:
        plan = Plan(
            url=url,
            rate_per_s=rate,
            duration_s=seconds(duration or ("5s" if find_max else "60s")),
            arrivals=arrivals_from(arrivals),
            start_rate_per_s=start_rate,
            week=read_week(week),
            method=(method or ("POST" if body else "GET")).upper(),
            headers=tuple(header_from(text) for text in header or ()),
            body=str(body or ""),
            connections=connections,
            processes=processes,
            timeout_s=seconds(timeout, field="timeout"),
            seed=seed,
            p99_limit_ms=p99_ms,
            expect=Expectation(
                statuses=tuple(expect_status or ()),
                json_key=expect_json_key,
                body_sha256=expect_body_sha256,
                every=check_every,
            ),
        )
        measure = _chosen(within, find_max=find_max)
        result = measure(plan, allow or [], json_file=json_file, hdr=hdr, is_quiet=quiet)
    except Refused as refused:
        stop(refused.reason)
    _leave(result)


def _chosen(within: str, *, find_max: bool) -> "Callable[..., dict[str, Any]]":
    """Return what measures: a search, or a test at one rate."""
    if within and not find_max:
        raise Invalid("--within is of a search; give --find-max, or --duration of a test.", field="within")
    return functools.partial(_search, within=within or "30m") if find_max else _measure


def _leave(result: dict[str, Any]) -> "NoReturn":
    """End the command with the status that its result deserves."""
    if result.get("reason") == "out_of_time":
        stop("The time was up before the search had an answer; what its trials say is kept. Give more with --within.")
    if result["is_partial"]:
        stop("Stopped before its end; what was measured until then is kept, marked as partial.", code=INTERRUPTED)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


def _measure(
    plan: "Plan", allow: list[str], *, json_file: Path | None, hdr: Path | None, is_quiet: bool
) -> dict[str, Any]:
    """Run the test, and write and show what came of it."""
    from weighbridge.cli.tables.terminal import show_load
    from weighbridge.load.plan import Caps
    from weighbridge.load.results.hdr import write_hdr
    from weighbridge.load.results.report import run_load

    target, now = _target(plan, allow), _now()
    with _surroundings(is_quiet=is_quiet) as (folder, say, should_stop):
        result, fired = run_load(
            plan, target, caps=Caps(), folder=folder, on_progress=say, should_stop=should_stop, now=now
        )
        if json_file is not None:
            result = {**result, "samples": _keep_samples(fired, json_file)}
            write_json(json_file, result)
        if hdr is not None:
            write_hdr(fired.samples, hdr, started_at=now)
    if not is_quiet:
        show_load(result, sys.stdout)
    return result


def _search(
    plan: "Plan", allow: list[str], *, within: str, json_file: Path | None, hdr: Path | None, is_quiet: bool
) -> dict[str, Any]:
    """Search the highest rate, and write and show what came of it."""
    import time

    from weighbridge.cli.tables.terminal import show_load_search
    from weighbridge.load.plan import Caps, seconds
    from weighbridge.load.search import Trials, search_highest_rate
    from weighbridge.measure.deadline import Deadline

    if hdr is not None:
        raise Invalid("A search has no histogram of its own; give --hdr to a test at one rate.", field="hdr")
    target, now = _target(plan, allow), _now()
    deadline = Deadline(seconds(within, field="within"), time.monotonic)
    with _surroundings(is_quiet=is_quiet) as (folder, say, should_stop):
        result = search_highest_rate(Trials(plan, target, Caps(), folder, say, should_stop, now, deadline))
    if json_file is not None:
        write_json(json_file, result)
    if not is_quiet:
        show_load_search(result, sys.stdout)
    return result


def _target(plan: "Plan", allow: list[str]) -> "Pinned":
    from weighbridge.load.target import addresses_of, check_target, permission_from

    permissions = [permission_from(text) for each in allow for text in each.split(",") if text.strip()]
    return check_target(plan.url, permissions=permissions, resolve=addresses_of)


def _now() -> "datetime":
    import time
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time.time(), UTC)


@contextlib.contextmanager
def _surroundings(*, is_quiet: bool) -> "Iterator[tuple[Path, Callable[[float, str], None], Callable[[], bool]]]":
    """Yield a folder for the processes' files, a function that shows progress, and one that says when to stop."""
    import tempfile

    from weighbridge.cli.interrupts import interrupts_noted
    from weighbridge.cli.tables.terminal import progress

    with (
        tempfile.TemporaryDirectory(prefix="weighbridge-") as folder,
        progress(sys.stderr, is_quiet=is_quiet) as say,
        interrupts_noted() as should_stop,
    ):
        yield Path(folder), say, should_stop


def _keep_samples(fired: "Fired", json_file: Path) -> dict[str, Any]:
    """Write the raw samples beside the result, and say where and what they are."""
    import hashlib

    beside, content = json_file.with_suffix(".samples.npz"), fired.samples.as_bytes()
    try:
        beside.write_bytes(content)
    except OSError as error:
        raise Invalid(f"The samples cannot be written to {beside}: {error.strerror}.", field="json") from error
    return {
        "file": beside.name,
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "n": len(fired.samples.outcome),
    }
