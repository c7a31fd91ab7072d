"""`load_test`: requests on a fixed schedule, with response times as users would see them; `size_replicas` from them."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.data import Data
from weighbridge.api.documents import PathLike, Source, check_writable, document_of, write_file
from weighbridge.api.job_progress import NOBODY, Watcher, now, working_folder
from weighbridge.api.load_bodies import has_placeholders, with_rows
from weighbridge.api.results import Result, Row, metric_rows
from weighbridge.cli.tables.load_table import load_parts, load_search_parts
from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import require_extra
from weighbridge.load.capacity.goodput import goodput_curve
from weighbridge.load.capacity.replica_sizing import Demand, size_for
from weighbridge.load.capacity.runs_files import read_runs, runs_from
from weighbridge.load.capacity.sizing_document import as_document, sizing_parts
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.messages import header_from, headers_from_file
from weighbridge.load.plan import (
    WARM_CONNECTIONS,
    LoadCaps,
    LoadPlan,
    arrivals_from,
    protocol_from,
    read_week,
    seconds,
)
from weighbridge.load.results.hdr import hdr_log
from weighbridge.load.results.report import run_load
from weighbridge.load.search import Trials, search_highest_rate
from weighbridge.load.target import check_target, permission_from, resolve_addresses
from weighbridge.measure.deadline import Deadline


def load_test(  # noqa: PLR0913 -- the options of the command line
    url: str,
    *,
    rate: float | None = None,
    closed: int = 0,
    think: str = "",
    duration: str = "",
    arrivals: str = "poisson",
    start_rate: float = 0.0,
    week: PathLike | None = None,
    method: str = "",
    headers: Sequence[str] = (),
    header_file: PathLike | None = None,
    cacert: PathLike | None = None,
    http2: bool = False,
    http2_prior_knowledge: bool = False,
    body: PathLike | None = None,
    data: Data | None = None,
    connections: int | None = None,
    processes: int = 1,
    timeout: str = "10s",
    expect_status: Sequence[int] = (),
    expect_json_key: str = "",
    expect_body_sha256: str = "",
    check_every: int = 10,
    p99_ms: float | None = None,
    find_max: bool = False,
    within: str = "",
    seed: int = 20_260_101,
    allow: Sequence[str] = (),
    samples: PathLike | None = None,
    hdr: PathLike | None = None,
    watcher: Watcher = NOBODY,
) -> Result:
    """Send requests to an endpoint at `rate` per second (default 100) and measure its response times.

    Requests are sent when they are due, whether or not earlier ones were answered. Response times count from the
    due time, so that a stall is not hidden (no coordinated omission). `arrivals` are "constant", "poisson", "ramp"
    (from `start_rate`) or "week" (168 hourly weights in the JSON file `week`). Times are texts like "60s", "2m";
    `duration` defaults to 60 s for a test and 5 s for a trial of a search. With `http2`, HTTP/2 is negotiated in
    TLS; with `http2_prior_knowledge`, it is spoken without TLS; requests then share connections, of which one is
    opened before the start. `headers` are "Name: value", as are the lines of `header_file`, whose values are
    secrets; `body` is a file; `.jsonl` and `.npz` (`x`) have many. With `data` (a data set as for `profile`), it is
    a template whose `{{ name }}` are filled from the rows, in a random order of `seed`. `cacert` has the
    certificates to trust. Only loopback and the hosts in `allow` (HOST or HOST=NETWORK) may be called. The pool of
    connections grows as needed unless `connections` fixes it.

    With `closed`, that number of users each send a request, wait for its answer, and think for `think`. With
    `find_max`, it searches for the highest rate with p99 within `p99_ms`, for at most `within`. Raw samples go to the
    file `samples` (`.npz`), an HdrHistogram log to `hdr`; the result has a remark if one cannot be written.

    The result is a `weighbridge.load/1` document, or one of a search: times in ms, rates in 1/s, with intervals.
    `to_pandas()` has a row for each metric, or for each trial of a search. Raises Invalid and NotAllowed for requests
    that may not be sent, Unreachable if nobody answers.
    """
    protocol = protocol_from(http2=http2, prior_knowledge=http2_prior_knowledge)
    plan = LoadPlan(
        url=url,
        rate_per_s=(0.0 if closed else 100.0) if rate is None else rate,
        users=closed,
        think_s=seconds(think, field="think") if think else 0.0,
        duration_s=seconds(duration or ("5s" if find_max else "60s")),
        protocol=protocol,
        warm_connections=1 if protocol.is_http2 else WARM_CONNECTIONS,
        arrivals=arrivals_from(arrivals),
        start_rate_per_s=start_rate,
        week=read_week(Path(week) if week is not None else None),
        method=(method or ("POST" if body else "GET")).upper(),
        headers=(
            *(header_from(text) for text in headers),
            *(headers_from_file(Path(header_file)) if header_file is not None else ()),
        ),
        ca_file=str(cacert or ""),
        body=str(body or ""),
        connections=connections,
        processes=processes,
        timeout_s=seconds(timeout, field="timeout"),
        seed=seed,
        p99_limit_ms=p99_ms,
        expect=Expectation(
            statuses=tuple(expect_status),
            json_key=expect_json_key,
            body_sha256=expect_body_sha256,
            every=check_every,
        ),
    )
    if within and not find_max:
        raise Invalid("--within applies to a search; use --find-max, or --duration for a test.", field="within")
    if hdr is not None and find_max:
        raise Invalid("A search has no histogram; use --hdr with a test at one rate.", field="hdr")
    if protocol.is_http2:
        require_extra("http2")
    if plan.ca_file and not plan.url.startswith("https://"):
        raise Invalid("--cacert applies to an address that begins with https://.", field="cacert")
    for file, field in ((samples, "json"), (hdr, "hdr")):
        check_writable(Path(file) if file is not None else None, field=field)
    permissions = [permission_from(text) for each in allow for text in each.split(",") if text.strip()]
    target = check_target(plan.url, permissions=permissions, resolve=resolve_addresses)
    with working_folder() as folder:
        plan = with_rows(plan, data, folder)
        if find_max:
            return _search(plan, target, within or "30m", folder, watcher)
        return _measure(plan, target, folder, samples=samples, hdr=hdr, watcher=watcher)


def _measure(
    plan: LoadPlan,
    target: PinnedAddress,
    folder: Path,
    *,
    samples: PathLike | None,
    hdr: PathLike | None,
    watcher: Watcher,
) -> Result:
    started_at, remarks = now(), []
    document, fired = run_load(
        plan,
        target,
        caps=LoadCaps(),
        folder=folder,
        on_progress=watcher.on_progress,
        should_stop=watcher.should_stop,
        now=started_at,
    )
    try:
        if samples is not None:
            document = {**document, "samples": _write_samples(fired, Path(samples))}
        if hdr is not None:
            write_file(Path(hdr), hdr_log(fired.samples, started_at=started_at), field="hdr")
    except Invalid as refused:
        remarks.append(refused.reason)
    document = _with_note_on_body(document, plan)
    return Result(document, tuple(metric_rows(document["metrics"])), lambda: load_parts(document), tuple(remarks))


def _search(plan: LoadPlan, target: PinnedAddress, within: str, folder: Path, watcher: Watcher) -> Result:
    deadline = Deadline(seconds(within, field="within"), time.monotonic)
    trials = Trials(plan, target, LoadCaps(), folder, watcher.on_progress, watcher.should_stop, now(), deadline)
    found = _with_note_on_body(search_highest_rate(trials), plan)
    return Result(found, tuple(found["trials"]), lambda: load_search_parts(found))


def _with_note_on_body(document: Mapping[str, Any], plan: LoadPlan) -> dict[str, Any]:
    """Return the document with a note if the body has places that were not filled."""
    if not has_placeholders(plan.body):
        return dict(document)
    text = f"{plan.body_name} was sent as it is, with its {{{{ }}}}; give --data with the rows that fill it."
    return {**document, "notes": [*document["notes"], {"code": "bodies.unfilled", "message": text}]}


def _write_samples(fired: GeneratorResult, file: Path) -> dict[str, Any]:
    """Write the raw samples, and return their location and format."""
    content = fired.samples.as_bytes()
    write_file(file, content, field="json")
    return {
        "file": file.name,
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "n": len(fired.samples.outcome),
    }


def size_replicas(
    runs: Sequence[Source],
    *,
    peak_rate: float,
    good: float = 0.95,
    balance: float = 0.9,
    spare: int = 1,
    input_tokens: float | None = None,
    output_tokens: float | None = None,
) -> Result:
    """Size the replicas of a language model server for a peak, from runs of one replica at several rates.

    `runs` are results of streaming load tests with equal limits and workloads, or one file in CSV with the header
    `rate,good,n,seed`. `good` is the share of requests to be answered within all limits, `peak_rate` in requests per
    second. The replicas are ceil(peak_rate / (r * balance)) + spare, where r is the largest rate at which the lower
    95 % bound of the share is `good`; the bound accounts for differences between runs. `input_tokens` and
    `output_tokens` are the planned means per request, which the runs should have.

    The result is a `weighbridge.sizing/1` document; its replicas have P10, P50, P90 and a 90 % interval, None if no
    number is shown to be enough. `to_pandas()` has a row for each measured rate. Raises Invalid for runs that cannot be
    used together.
    """
    sources = [document_of(each) for each in runs]
    files = [each for each in sources if isinstance(each, Path)]
    if len(files) not in (0, len(sources)):
        raise Invalid("Give all runs as files, or all as results.", code="runs_mixed", field="runs")
    taken = read_runs(files) if files else runs_from([(f"Run {n}", each) for n, each in enumerate(sources, start=1)])
    planned = {"input_tokens_mean": input_tokens, "output_tokens_mean": output_tokens}
    demand = Demand(
        peak_per_s=peak_rate,
        balance=balance,
        spare=spare,
        mean_tokens={name: tokens for name, tokens in planned.items() if tokens is not None},
    )
    sizing = size_for(goodput_curve(taken.runs, target=good), demand, taken)
    document = as_document(sizing, taken, now=now())
    return Result(document, tuple(_curve_rows(document)), lambda: sizing_parts(document))


def _curve_rows(document: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each measured rate: goodput and the share of good requests with their bounds."""
    for point in document["curve"]:
        bounds = {
            f"{name}_{key}": value for name in ("good_share", "goodput_per_s") for key, value in point[name].items()
        }
        yield {"rate_per_s": point["rate_per_s"], "seeds": point["seeds"], "n": point["n"], **bounds}
