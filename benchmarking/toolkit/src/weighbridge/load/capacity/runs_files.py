"""The files that sizing reads: results of streaming load tests, or one table of runs.

```csv
rate,good,n,seed
2.4,0.991,960,1
2.4,0.987,951,2
```

`rate` is the offered rate in requests per second, `good` the share of the `n` requests that were answered within all
limits, `seed` that of the schedule.
"""

import csv
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json, read_bytes
from weighbridge.core.parsing.limits import DOCUMENT, MEASUREMENT
from weighbridge.load.capacity.measured_runs import RUNS_MAX, MeasuredRun

LOAD_TEST = "weighbridge.load/1"
HEADER = ["rate", "good", "n", "seed"]
STEADY = ("constant", "poisson", "gamma")
# Invalid for percentiles, but not for goodput: it counts failed and late requests as not good.
COUNTED = (
    "errors.requests",
    "load.saturated",
    "output.truncated",
    "samples.too_few",
    "samples.unanswered",
    "server.busy",
)
LIMITS = ("ttft_ms", "tpot_ms", "e2e_ms")
TOKENS = ("input_tokens_mean", "output_tokens_mean")


@dataclasses.dataclass(frozen=True)
class RunsFiles:
    """The runs, the limits of a good request and the digest of the workload, where the files state them.

    `mean_tokens` are the means over the runs, by name; `doubts` are the codes of reasons why runs are only indicative;
    `sources` has the digest of each file.
    """

    runs: tuple[MeasuredRun, ...]
    limits: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    workload: str = ""
    mean_tokens: Mapping[str, float] = dataclasses.field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    sources: tuple[Mapping[str, str], ...] = ()


def read_runs(files: Sequence[Path]) -> RunsFiles:
    """Read results of streaming load tests (`weighbridge.load/1`), or one CSV file.

    Raises Invalid for any other file, for runs with different limits or workloads, and for a run that is no evidence.
    """
    if len(files) > RUNS_MAX:
        raise Invalid(f"At most {RUNS_MAX:,} files can be read, not {len(files):,}.", code="runs_many", field="runs")
    tables = [file for file in files if file.suffix.lower() == ".csv"]
    if tables and len(files) > 1:
        raise Invalid("Give one CSV file, or results of load tests, but not both.", code="runs_mixed", field="runs")
    if tables:
        content = read_bytes(tables[0], limits=DOCUMENT, field="runs", code="runs_unreadable")
        runs = tuple(_table_runs(content, tables[0].name))
        return RunsFiles(runs, sources=(_source(tables[0], content),))
    contents = [(file, read_bytes(file, limits=MEASUREMENT, field="runs", code="runs_unreadable")) for file in files]
    documents = [
        (file.name, parse_json(content, name=file.name, field="runs", limits=MEASUREMENT)) for file, content in contents
    ]
    found = runs_from(documents)
    return dataclasses.replace(found, sources=tuple(_source(file, content) for file, content in contents))


def runs_from(documents: Sequence[tuple[str, object]]) -> RunsFiles:
    """Return the runs of named documents of streaming load tests; raise what `read_runs` raises."""
    tests = [(name, _load_test(name, document)) for name, document in documents]
    limits = _same("limits", [(name, test.limits) for name, test in tests])
    workload = _same("workload", [(name, test.workload) for name, test in tests])
    # A run without an answer names no model.
    _same("models", [(name, test.models) for name, test in tests if test.models])
    _same("arrivals", [(name, test.arrivals) for name, test in tests])
    doubts = {code for _, test in tests for code in test.doubts}
    means = {}
    for metric in TOKENS:
        stated = [test.mean_tokens[metric] for _, test in tests if metric in test.mean_tokens]
        if stated and len(stated) == len(tests):
            means[metric] = sum(stated) / len(stated)
    return RunsFiles(
        tuple(test.run for _, test in tests),
        limits=limits or {},
        workload=workload or "",
        mean_tokens=means,
        doubts=tuple(sorted(doubts)),
    )


def _source(file: Path, content: bytes) -> dict[str, str]:
    return {"file": file.name, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}


@dataclasses.dataclass(frozen=True)
class _LoadTest:
    """What sizing takes from one result; `doubts` are the codes of reasons that goodput does not count."""

    run: MeasuredRun
    arrivals: str
    limits: Mapping[str, Any]
    workload: str
    models: tuple[str, ...]
    mean_tokens: Mapping[str, float]
    doubts: tuple[str, ...]


def _load_test(name: str, document: object) -> _LoadTest:
    if not isinstance(document, Mapping) or document.get("schema") != LOAD_TEST or "streaming" not in document:
        text = (
            f"{name} is not the result of a streaming load test; run `weighbridge load` with limits of TTFT and TPOT."
        )
        raise Invalid(text, code="runs_form", field="runs")
    try:
        _check_evidence(document)
        streaming = document["streaming"]
        return _LoadTest(
            run=_run(document["plan"], streaming["good"]),
            arrivals=str(document["plan"]["arrivals"]),
            limits={name: streaming["limits"][name] for name in LIMITS},
            workload=str(streaming["workload"]),
            models=tuple(map(str, streaming["models"])),
            mean_tokens={key: float(document["metrics"][key]["value"]) for key in TOKENS if key in document["metrics"]},
            doubts=tuple(each["code"] for each in document["verdict"]["reasons"] if each["code"] not in COUNTED),
        )
    except Invalid as refusal:
        raise Invalid(f"{name}: {refusal.reason}", code=refusal.code, field="runs") from refusal
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"{name} has no complete result of a streaming load test, with its limits and workload."
        raise Invalid(text, code="runs_form", field="runs") from error


def _run(plan: Mapping[str, Any], good: Mapping[str, Any]) -> MeasuredRun:
    return MeasuredRun(
        rate_per_s=float(plan["rate_per_s"]),
        share=float(good["share"]),
        n=int(good["n"]),
        seed=int(plan["seed"]),
        blocks=tuple(map(float, good.get("blocks", ()))),
    )


def _check_evidence(document: Mapping[str, Any]) -> None:
    """Raise Invalid for a run that the generator disturbed, that was stopped, or that had no steady rate or goodput."""
    for reason in document["verdict"]["reasons"]:
        if reason["status"] == "invalid" and reason["code"] not in COUNTED:
            text = f"The run is not evidence: {reason['message']} Repeat it."
            raise Invalid(text, code="runs_invalid", field="runs")
    if document["loop"] != "open" or document["plan"]["arrivals"] not in STEADY or document["is_partial"]:
        text = "The run was stopped, or had no steady rate; use complete runs with --arrivals poisson or constant."
        raise Invalid(text, code="runs_unsteady", field="runs")
    if document["streaming"]["good"] is None:
        text = "The run has no goodput: give limits like --ttft-ms, or see in its verdict why the goodput is withheld."
        raise Invalid(text, code="runs_no_goodput", field="runs")


def _same(what: str, stated: Sequence[tuple[str, Any]]) -> Any:
    """Return what all files state; raise Invalid if two differ."""
    for name, value in stated[1:]:
        if value != stated[0][1]:
            text = (
                f"{name} and {stated[0][0]} have different {what}; runs at several rates must differ in the rate alone."
            )
            raise Invalid(text, code=f"runs_{what}", field="runs")
    return stated[0][1] if stated else None


def _table_runs(content: bytes, name: str) -> Iterator[MeasuredRun]:
    try:
        lines = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"{name} cannot be read: {error}.", code="runs_unreadable", field="runs") from error
    if not lines or [cell.strip() for cell in lines[0]] != HEADER:
        text = f"{name} must start with the header `{','.join(HEADER)}`, followed by one run per line."
        raise Invalid(text, code="runs_form", field="runs")
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        try:
            rate, good, n, seed = line
            yield MeasuredRun(rate_per_s=float(rate), share=float(good), n=int(n), seed=int(seed))
        except ValueError as error:
            text = f"Line {number} of {name} must be a rate, a share, and two whole numbers, not {','.join(line)!r}."
            raise Invalid(text, code="runs_form", field="runs") from error
        except Invalid as refusal:
            raise Invalid(f"Line {number} of {name}: {refusal.reason}", code="runs_form", field="runs") from refusal
