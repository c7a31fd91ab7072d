"""`weighbridge load`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli import results
from weighbridge.cli.exits import INTERRUPTED, UNCLEAR, code_of_search, errors_as_exits, output, stop
from weighbridge.cli.option_rules import Needs
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.api.results import Result


def load(  # noqa: PLR0913 -- every option of the command line
    url: Annotated[str, typer.Argument(help="Address of the endpoint, http:// or https://.")],
    rate: Annotated[
        float | None, typer.Option(help="Requests per second; for a ramp or a week, the maximum. Default: 100.")
    ] = None,
    closed: Annotated[
        int, typer.Option(help="Closed loop: this number of users send, wait for the answer, and think.")
    ] = 0,
    think: Annotated[str, typer.Option(help="Think time of the users of --closed, like 2s."), Needs("--closed")] = "",
    duration: Annotated[
        str, typer.Option(help="Duration of the test, like 60s or 2m; of a search, the duration of a trial, like 5s.")
    ] = "",
    arrivals: Annotated[str, typer.Option(help="constant, poisson, ramp or week.")] = "poisson",
    start_rate: Annotated[float, typer.Option(help="Initial rate of a ramp."), Needs("--arrivals ramp")] = 0.0,
    week: Annotated[
        Path | None,
        typer.Option(help="JSON list of 168 hourly weights, for --arrivals week."),
        Needs("--arrivals week"),
    ] = None,
    method: Annotated[str, typer.Option(help="HTTP method; default: GET, or POST with a body.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="Header, 'Name: value'; repeatable.")] = None,
    header_file: Annotated[
        Path | None, typer.Option(help="File of headers, one 'Name: value' a line: for values that are secrets.")
    ] = None,
    cacert: Annotated[
        Path | None, typer.Option(help="PEM file of the certificates to trust, instead of those of the system.")
    ] = None,
    http2: Annotated[bool, typer.Option("--http2", help="Speak HTTP/2, negotiated in TLS (ALPN).")] = False,
    http2_prior_knowledge: Annotated[
        bool, typer.Option("--http2-prior-knowledge", help="Speak HTTP/2 to an http:// address, without negotiation.")
    ] = False,
    body: Annotated[
        Path | None, typer.Option(help="Body file; .jsonl and .npz (x) hold several bodies, sent in turn.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Rows (.npz, .csv, .parquet, .jsonl) that fill the {{ name }} in the template --body, in random order."
        ),
    ] = None,
    connections: Annotated[
        int | None, typer.Option(help="Fixed number of connections; by default, the pool grows as needed.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Generator processes.")] = 1,
    timeout: Annotated[str, typer.Option(help="Timeout of a request.")] = "10s",
    expect_status: Annotated[
        list[int] | None, typer.Option(help="Expected status code; default: any 2xx; repeatable.")
    ] = None,
    expect_json_key: Annotated[str, typer.Option(help="Key that each answer must contain, like predictions.0.")] = "",
    expect_body_sha256: Annotated[str, typer.Option(help="Expected SHA-256 of the body.")] = "",
    check_every: Annotated[
        int,
        typer.Option(help="Check the body of one in n answers, drawn at random."),
        Needs("--expect-json-key", "--expect-body-sha256"),
    ] = 10,
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
    fail_if: results.FailIfOption = None,
    baseline: results.BaselineOption = None,
    junit: results.JunitOption = None,
    markdown: results.MarkdownOption = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write the result to this file, and the samples next to it; - is standard output."),
    ] = None,
    hdr: Annotated[Path | None, typer.Option(help="Write response times to this file as an HdrHistogram log.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Load-test an endpoint as its users see it.

    Requests are sent on a fixed schedule, whether earlier ones were answered or not.
    """
    from weighbridge.api.documents import is_stream
    from weighbridge.api.load_testing import load_test

    checks = results.Checks(fail_if, baseline, junit, markdown)
    has_samples = json_file is not None and not is_stream(json_file) and not find_max
    samples = json_file.with_suffix(".samples.npz") if json_file is not None and has_samples else None
    if hdr is not None and hdr in (json_file, samples):
        stop(f"{hdr} cannot hold two results; name another file.")
    with errors_as_exits(writes=(json_file, hdr, *checks.files)), watching(is_quiet=quiet) as watcher:
        checks.check_form()
        result = load_test(
            url,
            rate=rate,
            duration=duration,
            arrivals=arrivals,
            start_rate=start_rate,
            week=week,
            method=method,
            closed=closed,
            think=think,
            headers=header or (),
            header_file=header_file,
            cacert=cacert,
            http2=http2,
            http2_prior_knowledge=http2_prior_knowledge,
            body=body,
            data=data,
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
            samples=samples,
            hdr=hdr,
            watcher=watcher,
        )
    with errors_as_exits():
        output(result, json_file, is_quiet=quiet, beside=(hdr, *checks.files))
    _stop_if_unclear(result, is_search=find_max)
    results.exit_with(result, checks, is_quiet=quiet, beside=(json_file, hdr))


def _stop_if_unclear(result: "Result", *, is_search: bool) -> None:
    """Exit for a test that was stopped, a result that could not be written whole, and a search."""
    if result.document.get("reason") == "out_of_time":
        stop("Time ran out without an answer; the result contains the trials so far. Allow more time with --within.")
    if result.document.get("reason", "stopped") == "stopped" and result["is_partial"]:
        stop("Stopped early; the result is partial.", code=INTERRUPTED)
    if result.remarks:
        raise typer.Exit(UNCLEAR)
    if is_search:
        raise typer.Exit(code_of_search(result.document))
