"""`weighbridge load`."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli import results
from weighbridge.cli.exits import INTERRUPTED, UNCLEAR, code_of_search, errors_as_exits, output, stop
from weighbridge.cli.option_rules import Needs, NotWith
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.api.load.prompts import Chat
    from weighbridge.api.results import Result

CHAT = Needs("--chat")


def load(  # noqa: PLR0913 -- every option of the command line
    url: Annotated[str, typer.Argument(help="Address of the endpoint, http:// or https://.")],
    rate: Annotated[
        float | None, typer.Option(help="Requests per second; for a ramp or a week, the maximum. Default: 100.")
    ] = None,
    closed: Annotated[
        int, typer.Option(help="Closed loop: this number of users send, wait for the answer, and think.")
    ] = 0,
    think: Annotated[
        str,
        typer.Option(help="Think time of the users of --closed, or between the turns of a conversation, like 2s."),
        Needs("--closed", "--chat"),
    ] = "",
    duration: Annotated[
        str, typer.Option(help="Duration of the test, like 60s or 2m; of a search, the duration of a trial, like 5s.")
    ] = "",
    arrivals: Annotated[
        str, typer.Option(help="constant, poisson, ramp, week, or trace: the times at_s of the --prompts.")
    ] = "poisson",
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
    chat: Annotated[
        bool, typer.Option("--chat", help="Send prompts to a language model and read its answers as they are streamed.")
    ] = False,
    model: Annotated[str, typer.Option(help="Name of the model in each request."), CHAT] = "",
    prompts: Annotated[Path | None, typer.Option(help="Prompts, one JSON object a line (.jsonl)."), CHAT] = None,
    generate: Annotated[
        str,
        typer.Option(
            help="Generate prompts by a law, like input=600,input_sigma=0.8,output=200,prefix=100,prefixes=4."
        ),
        CHAT,
    ] = "",
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens of an answer."), CHAT] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Further key of each request, like temperature=0; repeatable."), CHAT
    ] = None,
    limits: Annotated[
        str, typer.Option(help="Limits of a good answer by a name of MLPerf, like llama3.1-8b-interactive."), CHAT
    ] = "",
    ttft_ms: Annotated[float | None, typer.Option(help="Limit of the time to the first token."), CHAT] = None,
    tpot_ms: Annotated[float | None, typer.Option(help="Limit of the time for each other token."), CHAT] = None,
    e2e_ms: Annotated[float | None, typer.Option(help="Limit of the time of the whole answer."), CHAT] = None,
    good: Annotated[
        float, typer.Option(help="Share of the answers that must keep all limits, for --find-max."), CHAT
    ] = 0.95,
    speed: Annotated[float, typer.Option(help="Replay a trace so many times faster."), Needs("--arrivals trace")] = 1.0,
    cached_share: Annotated[
        float | None, typer.Option(help="Share of the input tokens that the server's cache may serve."), CHAT
    ] = None,
    tokenizer: Annotated[
        str, typer.Option(help="Check the counted tokens: a tokenizer.json, or server for its own /tokenize."), CHAT
    ] = "",
    answers: Annotated[Path | None, typer.Option(help="Write the texts of the answers here (.jsonl)."), CHAT] = None,
    key_file: Annotated[Path | None, typer.Option(help="File with the API key, sent as a bearer token."), CHAT] = None,
    key_env: Annotated[str, typer.Option(help="Variable of the environment with the API key."), CHAT] = "",
    connections: Annotated[
        int | None, typer.Option(help="Fixed number of connections; by default, the pool grows as needed.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Generator processes.")] = 1,
    timeout: Annotated[
        str, typer.Option(help="Timeout of a request, like 5s; default: 10s, or 2m for a language model.")
    ] = "",
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
        float | None, typer.Option(help="Limit of p99 in milliseconds: report whether it is met."), NotWith("--chat")
    ] = None,
    find_max: Annotated[
        bool,
        typer.Option("--find-max", help="Search for the highest rate that meets --p99-ms, or the limits of --chat."),
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
    from weighbridge.api.load.testing import load_test

    checks = results.Checks(fail_if, baseline, junit, markdown)
    has_samples = json_file is not None and not is_stream(json_file) and not find_max
    samples = json_file.with_suffix(".samples.npz") if json_file is not None and has_samples else None
    if hdr is not None and hdr in (json_file, samples):
        stop(f"{hdr} cannot hold two results; name another file.")
    with errors_as_exits(writes=(json_file, hdr, *checks.files)), watching(is_quiet=quiet) as watcher:
        checks.check_form()
        chatting = _chat_of(locals()) if chat else None
        result = load_test(
            url,
            rate=rate,
            duration=duration,
            arrivals=arrivals,
            start_rate=start_rate,
            week=week,
            method=method,
            closed=closed,
            think="" if chat and not closed else think,
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
            chat=chatting,
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


def _chat_of(options: Mapping[str, Any]) -> "Chat":
    """Return what `--chat` and its options say."""
    from weighbridge.api.load.prompts import Chat

    given = {field.name: options[field.name] for field in dataclasses.fields(Chat) if field.name in options}
    think = "" if options["closed"] else options["think"]
    return Chat(**{**given, "parameters": options["parameter"] or (), "think": think})


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
