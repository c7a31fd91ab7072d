"""`weighbridge load`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, INTERRUPTED, NO, give, refusals_told, stop
from weighbridge.cli.watching import watching

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
    from weighbridge.api.load_testing import load_test

    with refusals_told(), watching(is_quiet=quiet) as watcher:
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
    with refusals_told():
        give(result, json_file, is_quiet=quiet)
    if result.document.get("reason") == "out_of_time":
        stop("The time was up before the search had an answer; what its trials say is kept. Give more with --within.")
    if result["is_partial"]:
        stop("Stopped before its end; what was measured until then is kept, marked as partial.", code=INTERRUPTED)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)
