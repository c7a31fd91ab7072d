"""`weighbridge load`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, INTERRUPTED, NO, errors_as_exits, output, stop
from weighbridge.cli.watching import watching


def load(  # noqa: PLR0913 -- every option of the command line
    url: Annotated[str, typer.Argument(help="Address of the endpoint, http:// or https://.")],
    rate: Annotated[float, typer.Option(help="Requests per second; for a ramp or a week, the maximum.")] = 100.0,
    duration: Annotated[
        str, typer.Option(help="Duration of the test, like 60s or 2m; of a search, the duration of a trial, like 5s.")
    ] = "",
    arrivals: Annotated[str, typer.Option(help="constant, poisson, ramp or week.")] = "poisson",
    start_rate: Annotated[float, typer.Option(help="Initial rate of a ramp.")] = 0.0,
    week: Annotated[Path | None, typer.Option(help="JSON list of 168 hourly weights, for --arrivals week.")] = None,
    method: Annotated[str, typer.Option(help="HTTP method; default: GET, or POST with a body.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="Header, 'Name: value'; repeatable.")] = None,
    body: Annotated[
        Path | None, typer.Option(help="Body file; .jsonl and .npz (x) hold several bodies, sent in turn.")
    ] = None,
    connections: Annotated[int, typer.Option(help="Connections kept open; needs rate x latency.")] = 64,
    processes: Annotated[int, typer.Option(help="Generator processes.")] = 1,
    timeout: Annotated[str, typer.Option(help="Timeout of a request.")] = "10s",
    expect_status: Annotated[
        list[int] | None, typer.Option(help="Expected status code; default: any 2xx; repeatable.")
    ] = None,
    expect_json_key: Annotated[str, typer.Option(help="Key that each answer must contain, like predictions.0.")] = "",
    expect_body_sha256: Annotated[str, typer.Option(help="Expected SHA-256 of the body.")] = "",
    check_every: Annotated[int, typer.Option(help="Check the body of every n-th answer.")] = 10,
    p99_ms: Annotated[
        float | None, typer.Option(help="Limit of p99 in milliseconds: report whether it is met.")
    ] = None,
    find_max: Annotated[
        bool, typer.Option("--find-max", help="Search for the highest rate that meets --p99-ms.")
    ] = False,
    within: Annotated[str, typer.Option(help="Time limit of the whole search, like 90s; default: 30m.")] = "",
    seed: Annotated[int, typer.Option(help="Random seed of the schedule.")] = 20_260_101,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            envvar="WEIGHBRIDGE_LOAD_ALLOW", help="Another host that may be called: HOST or HOST=NETWORK; repeatable."
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the result to this file, and the samples next to it.")
    ] = None,
    hdr: Annotated[Path | None, typer.Option(help="Write response times to this file as an HdrHistogram log.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Load-test an endpoint: send requests on a fixed schedule and measure response times as users see them."""
    from weighbridge.api.load_testing import load_test

    with errors_as_exits(), watching(is_quiet=quiet) as watcher:
        result = load_test(
            url,
            rate=rate,
            duration=duration,
            arrivals=arrivals,
            start_rate=start_rate,
            week=week,
            method=method,
            headers=header or (),
            body=body,
            connections=connections,
            processes=processes,
            timeout=timeout,
            expect_status=expect_status or (),
            expect_json_key=expect_json_key,
            expect_body_sha256=expect_body_sha256,
            check_every=check_every,
            p99_ms=p99_ms,
            find_max=find_max,
            within=within,
            seed=seed,
            allow=allow or (),
            samples=json_file.with_suffix(".samples.npz") if json_file is not None and not find_max else None,
            hdr=hdr,
            watcher=watcher,
        )
    with errors_as_exits():
        output(result, json_file, is_quiet=quiet)
    if result.document.get("reason") == "out_of_time":
        stop("Time ran out without an answer; the result contains the trials so far. Allow more time with --within.")
    if result["is_partial"]:
        stop("Stopped early; the result is partial.", code=INTERRUPTED)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)
