"""`load_test`: requests on a fixed schedule, with response times as users would see them."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.data import Data
from weighbridge.api.documents import PathLike, check_writable, write_file
from weighbridge.api.job_progress import NOBODY, Watcher, now, working_folder
from weighbridge.api.load.bodies import has_placeholders, with_rows
from weighbridge.api.load.prompts import Chat, replay_length
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.load_table import load_parts, load_search_parts
from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import require_extra
from weighbridge.load.chat.results.answers import answers_of
from weighbridge.load.expectation import Expectation
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
from weighbridge.quality.prompts.answer_file import answer_lines

# The whole answer of a language model takes longer than that of most endpoints.
TIMEOUT, CHAT_TIMEOUT = "10s", "2m"


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
    chat: Chat | None = None,
    connections: int | None = None,
    processes: int = 1,
    timeout: str = "",
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
    (from `start_rate`), "week" (168 hourly weights in the JSON file `week`) or "trace" (the times of the prompts of
    `chat`). Times are texts like "60s", "2m"; `duration` defaults to 60 s for a test and 5 s for a trial of a search,
    `timeout` to 10 s, or 2 min with `chat`. With `http2`, HTTP/2 is negotiated in
    TLS; with `http2_prior_knowledge`, it is spoken without TLS; requests then share connections, of which one is
    opened before the start. `headers` are "Name: value", as are the lines of `header_file`, whose values are
    secrets; `body` is a file; `.jsonl` and `.npz` (`x`) have many. With `data` (a data set as for `profile`), it is
    a template whose `{{ name }}` are filled from the rows, in a random order of `seed`. `cacert` has the
    certificates to trust. Only loopback and the hosts in `allow` (HOST or HOST=NETWORK) may be called. The pool of
    connections grows as needed unless `connections` fixes it.

    With `chat`, prompts are sent to a language model, and its answers are read as they are streamed: times to the first
    token and for each other token, from the due time, and the rate of answers within all limits (goodput).

    With `closed`, that number of users each send a request, wait for its answer, and think for `think`. With
    `find_max`, it searches for the highest rate with p99 within `p99_ms`, or within the limits of `chat`, for at most
    `within`. Raw samples go to the
    file `samples` (`.npz`), an HdrHistogram log to `hdr`; the result has a remark if one cannot be written.

    The result is a `weighbridge.load/1` document, or one of a search: times in ms, rates in 1/s, with intervals.
    `to_pandas()` has a row for each metric, or for each trial of a search. Raises Invalid and NotAllowed for requests
    that may not be sent, Unreachable if nobody answers.
    """
    protocol = protocol_from(http2=http2, prior_knowledge=http2_prior_knowledge)
    _check_options(within, hdr, chat, is_search=find_max)
    if protocol.is_http2:
        require_extra("http2")
    for file, field in ((samples, "json"), (hdr, "hdr"), (chat.answers if chat is not None else None, "answers")):
        check_writable(Path(file) if file is not None else None, field=field)
    with working_folder() as folder:
        prompts = chat.plan(folder, seed=seed) if chat is not None else None
        kind = arrivals_from(arrivals)
        replayed_s, replayed_per_s = replay_length(prompts, kind) if prompts is not None else (None, None)
        plan = LoadPlan(
            url=url,
            rate_per_s=replayed_per_s or ((0.0 if closed else 100.0) if rate is None else rate),
            users=closed,
            think_s=seconds(think, field="think") if think else 0.0,
            duration_s=seconds(duration or ("5s" if find_max else "60s")) if duration or not replayed_s else replayed_s,
            protocol=protocol,
            warm_connections=1 if protocol.is_http2 else WARM_CONNECTIONS,
            arrivals=kind,
            start_rate_per_s=start_rate,
            week=read_week(Path(week) if week is not None else None),
            method=(method or ("POST" if body or chat is not None else "GET")).upper(),
            headers=(
                *(header_from(text) for text in headers),
                *(headers_from_file(Path(header_file)) if header_file is not None else ()),
                *(chat.headers() if chat is not None else ()),
            ),
            ca_file=str(cacert or ""),
            body=str(body or ""),
            chat=prompts,
            connections=connections,
            processes=processes,
            timeout_s=seconds(timeout or (TIMEOUT if chat is None else CHAT_TIMEOUT), field="timeout"),
            seed=seed,
            p99_limit_ms=p99_ms,
            expect=Expectation(
                statuses=tuple(expect_status),
                json_key=expect_json_key,
                body_sha256=expect_body_sha256,
                every=check_every,
            ),
        )
        if plan.ca_file and not plan.url.startswith("https://"):
            raise Invalid("--cacert applies to an address that begins with https://.", field="cacert")
        permissions = [permission_from(text) for each in allow for text in each.split(",") if text.strip()]
        target = check_target(plan.url, permissions=permissions, resolve=resolve_addresses)
        plan = with_rows(plan, data, folder)
        if find_max:
            return _search(plan, target, within or "30m", folder, watcher)
        files = {"samples": samples, "hdr": hdr, "answers": chat.answers if chat is not None else None}
        return _measure(plan, target, folder, files=files, watcher=watcher)


def _check_options(within: str, hdr: PathLike | None, chat: Chat | None, *, is_search: bool) -> None:
    if within and not is_search:
        raise Invalid("--within applies to a search; use --find-max, or --duration for a test.", field="within")
    if hdr is not None and is_search:
        raise Invalid("A search has no histogram; use --hdr with a test at one rate.", field="hdr")
    if chat is not None and chat.answers is not None and is_search:
        raise Invalid("A search keeps no answers; use --answers with a test at one rate.", field="answers")


def _measure(
    plan: LoadPlan,
    target: PinnedAddress,
    folder: Path,
    *,
    files: Mapping[str, PathLike | None],
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
        if (answers := files["answers"]) is not None and plan.chat is not None and fired.chat is not None:
            content = answer_lines(answers_of(plan.chat, fired.samples, fired.chat, fired.complaints))
            document = {**document, "answers": _written(Path(answers), content, n=len(fired.chat.texts))}
        if (samples := files["samples"]) is not None:
            content = fired.samples.as_bytes()
            document = {**document, "samples": _written(Path(samples), content, n=len(fired.samples.outcome))}
        if (hdr := files["hdr"]) is not None:
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


def _written(file: Path, content: bytes, *, n: int) -> dict[str, Any]:
    """Write raw data of a test, and return where it is, its digest, and the number of requests in it."""
    write_file(file, content, field="json")
    return {"file": file.name, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "n": n}
