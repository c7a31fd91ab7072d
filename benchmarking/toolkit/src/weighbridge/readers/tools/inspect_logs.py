"""Inspect (inspect_ai): evaluation logs, `.json` or `.eval` (https://inspect.aisi.org.uk/eval-logs.html, version 2).

A `.eval` file is a ZIP archive; only its `header.json` is read, in which the samples are not. Each scorer is a result.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.readers.fields import Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.intervals import normal_sample
from weighbridge.readers.opened import LIMITS, Opened

NAME, TOOL = "inspect_ai", "Inspect"
ZIP, ENTRY = b"PK\x03\x04", b"PK\x01\x02"
HEADER = "header.json"
ENTRIES_MAX = 20_000
HEADER_LIMITS = DocumentLimits(bytes_max=16_000_000, values_max=LIMITS.values_max)
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
CONVERT = "Convert it: inspect log convert --to json."
# What these scorers call accuracy is a share of correct answers; others may give partial credit.
EXACT_SCORERS = ("match", "includes", "exact", "choice", "pattern", "answer")
ERRORS = ("stderr", "std", "var", "bootstrap_stderr")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, LookupError)


def detects(opened: Opened) -> bool:
    """Whether the file is a log: an archive, or an object with `eval` and `plan`."""
    return opened.content.startswith(ZIP) or {"eval", "plan", "status"} <= opened.document.keys()


def read(opened: Opened) -> Iterable[ImportedResult]:
    """Return a result for each scorer; raise Invalid for a log without scores, and for a damaged archive."""
    document = _header(opened) if opened.content.startswith(ZIP) else opened.document
    log = Fields(document, file=opened.name)
    scores = log.inside("results").entries("scores")
    if not scores:
        error = log.inside("error").text("message") or "the evaluation has no scores"
        raise Invalid(f"{opened.name} has no result: status {log.text('status')}, {error}.", field="file")
    return (_result(opened, log, score) for score in scores)


def _header(opened: Opened) -> Mapping[str, Any]:
    """Return the header of an archive, whose entries are counted and whose lengths are not believed."""
    if opened.content.count(ENTRY) > ENTRIES_MAX:
        raise Invalid(f"{opened.name} has more than {ENTRIES_MAX:,} entries. {CONVERT}", field="file")
    try:
        with zipfile.ZipFile(io.BytesIO(opened.content)) as archive:
            if any(_leads_out(name) for name in archive.namelist()):
                raise Invalid(f"{opened.name} has an entry that leads out of its folder. It is not read.", field="file")
            entry = archive.getinfo(HEADER)
            if entry.compress_type not in COMPRESSIONS:
                raise Invalid(f"{opened.name} is compressed with Zstandard, which is not read. {CONVERT}", field="file")
            with archive.open(entry) as stream:
                content = stream.read(HEADER_LIMITS.bytes_max + 1)
    except BROKEN as error:
        raise Invalid(f"{opened.name} is no readable archive with a {HEADER}. {CONVERT}", field="file") from error
    name = f"{HEADER} in {opened.name}"
    return parse_object(content, name=name, field="file", limits=HEADER_LIMITS, number=Decimal, is_cleaning=True)


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts


def _result(opened: Opened, log: Fields, score: Fields) -> ImportedResult:
    evaluation, stats = log.inside("eval"), log.inside("stats")
    scorer = score.text("name") or score.text("scorer") or "unnamed scorer"
    task = evaluation.text("task") or "unnamed task"
    findings = Findings(reader=NAME, tool=TOOL, files=(opened.file,), part=f"{task}, {scorer}")
    findings.tool_version = evaluation.inside("packages").text("inspect_ai")
    findings.started_at = stats.moment("started_at") or evaluation.moment("created")
    findings.ended_at = stats.moment("completed_at")
    findings.model = SubjectHint(name=evaluation.text("model"))
    data, n = evaluation.inside("dataset"), _sample_count(log, score)
    findings.data = SubjectHint(name=data.text("name") or task, n=n)
    for name, value in (
        ("task", task),
        ("task_version", evaluation.plain("task_version")),
        ("scorer", scorer),
        ("epochs", evaluation.inside("config").plain("epochs")),
        ("limit", evaluation.inside("config").plain("limit")),
        ("shuffled", data.plain("shuffled")),
        ("data_location", data.plain("location")),
        ("revision", evaluation.inside("revision").plain("commit")),
    ):
        findings.condition(name, value)
    for key in ("temperature", "max_tokens", "seed", "top_p"):
        findings.condition(key, log.inside("plan", "config").plain(key))
    _judge(findings, log, score)
    _metrics(findings, log, score, scorer, n)
    _tokens(findings, stats.inside("model_usage"), evaluation.text("model") or "")
    return findings.result()


def _tokens(findings: Findings, usage: Fields, model: str) -> None:
    """Take the tokens of all requests of the model under test; those of others, such as judges, are left out.

    The log does not count tokens that a cache served, or that were written into it, as input tokens. They are added, so
    that input tokens include cached ones as everywhere else.
    """
    if model not in usage.names:
        return
    tokens = usage.inside(model)
    uncached, output = tokens.count("input_tokens"), tokens.count("output_tokens")
    read, write = (tokens.count(f"input_tokens_cache_{name}") or 0 for name in ("read", "write"))
    findings.condition("output_tokens", output)
    findings.condition("reasoning_tokens", tokens.count("reasoning_tokens"))
    if uncached is None:
        return
    total = uncached + read + write
    findings.condition("input_tokens", total)
    findings.condition("cached_tokens", read)
    if total:
        findings.metric("cached_token_share", Decimal(read) / total, "ratio")


def _sample_count(log: Fields, score: Fields) -> int | None:
    stated = score.count("scored_samples")
    return stated if stated is not None else log.inside("results").count("completed_samples")


def _metrics(findings: Findings, log: Fields, score: Fields, scorer: str, n: int | None) -> None:
    epochs = log.inside("eval", "config").count("epochs") or 1
    metrics = score.inside("metrics")
    error = metrics.inside("stderr").number("value")
    for key in metrics.names:
        if key in ERRORS:
            continue
        is_accuracy = key == "accuracy"
        is_own = is_accuracy and scorer in EXACT_SCORERS and epochs == 1
        name = "accuracy" if is_own else f"{NAME}.{key}"
        # The standard error is that of the mean; a log with other metrics does not say whose it is.
        is_paired = is_accuracy or key == "mean"
        value = metrics.inside(key).number("value")
        if not is_paired or error is None:
            findings.absent(f"{name} interval", "The log gives no standard error of this metric.")
        sample = normal_sample(
            findings, name, value=value, error=error if is_paired else None, n=n, is_share=is_accuracy
        )
        findings.metric(name, value, "ratio" if is_accuracy else "unstated", sample)


def _judge(findings: Findings, log: Fields, score: Fields) -> None:
    status = log.text("status")
    if status != "success":
        error = log.inside("error").text("message") or "no error is stated"
        findings.doubt(ImportStatus.INVALID, f"The evaluation did not end well: status {status}, {error}.")
    if log.flag("invalidated"):
        findings.doubt(ImportStatus.INVALID, "The log is marked as invalidated.")
    results = log.inside("results")
    total, completed = results.count("total_samples"), results.count("completed_samples")
    if total is not None and completed is not None and completed < total:
        text = f"Only {completed:,} of {total:,} samples were completed."
        findings.doubt(ImportStatus.INDICATIVE, text)
    unscored = score.count("unscored_samples")
    if unscored:
        findings.doubt(ImportStatus.INDICATIVE, f"{unscored:,} samples have no score, and no part in the metrics.")
    if log.inside("eval", "config").plain("limit") is not None:
        findings.doubt(ImportStatus.INDICATIVE, "The evaluation was limited to a part of the data set.")
