"""MLPerf LoadGen: `mlperf_log_summary.txt`, `mlperf_log_detail.txt`, or the folder with both.

The formats: https://github.com/mlcommons/inference/tree/master/loadgen (results.cc and logging.cc, versions 1 to 6).
Latency is in nanoseconds; in the Server scenario it is measured from the moment a query was scheduled. The estimates
of early stopping are upper bounds at a confidence of 99 %:
https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc#appendix-early_stopping.
"""

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.readers.fields import Fields, number_of, printable, scaled, shown
from weighbridge.readers.findings import PERCENTILES, Findings, Sample
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.opened import Opened

NAME, TOOL = "loadgen", "MLPerf LoadGen"
SUMMARY, DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
TITLE, MARK = b"MLPerf Results Summary", b":::MLLOG "
LINES_MAX, LINE_CHARS_MAX = 100_000, 1_000
CONFIDENCE = Decimal("0.99")
SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline")
# The keys of the detail log, and the words of the summary that state the same.
RATES = {
    "SingleStream": ("result_qps_with_loadgen_overhead", "QPS w/ loadgen overhead"),
    "Server": ("result_completed_samples_per_sec", "Completed samples per second"),
    "Offline": ("result_samples_per_second", "Samples per second"),
}
CONSTRAINTS = {
    "result_perf_constraints_met": "Performance constraints",
    "result_min_duration_met": "Min duration",
    "result_min_queries_met": "Min queries",
    "early_stopping_met": "Early stopping",
}
SETTINGS = (
    *("samples_per_query", "target_qps", "target_latency", "max_async_queries", "min_duration", "max_duration"),
    *("min_query_count", "max_query_count", "qsl_rng_seed", "performance_sample_count"),
)
_PERCENTILE = re.compile(r"^(\d\d?\.\d\d) percentile latency \(ns\)$")
_OF_SAMPLES = re.compile(r"^result_(\d\d?\.\d\d)_percentile_latency_ns$")
_OF_QUERIES = re.compile(r"^result_(\d\d?\.\d\d)_percentile_per_query_latency_ns$")
_ESTIMATE = re.compile(r"Early stopping (\d\d?\.\d+)th percentile estimate: (\d{1,20})")
_COUNTS = re.compile(r"queries \((\d{1,15})\)|[Pp]rocessed (\d{1,15}) queries")


@dataclasses.dataclass(kw_only=True)
class _Run:
    """What either file states; times in nanoseconds, shares by percentile."""

    scenario: str
    mode: str
    is_valid: bool
    sut: str | None
    rate: Decimal | None
    mean_ns: Decimal | None
    percentiles: Mapping[Decimal, Decimal]
    early_stopping: str
    broken: list[str]
    settings: Mapping[str, str]
    queries: int | None = None
    errors: int = 0
    warnings: int = 0
    version: str | None = None
    started_at: datetime | None = None


def detects(opened: Opened) -> bool:
    """Whether this is one of the files, or a folder with them."""
    if opened.is_folder:
        return opened.has(SUMMARY) or opened.has(DETAIL)
    return TITLE in opened.content[:200] or opened.content.startswith(MARK)


def read(opened: Opened) -> list[ImportedResult]:
    """Return the result of a run; raise Invalid for a run that did not end or that measured accuracy only.

    In a folder, the detail log is read, and the verdict in the summary must be the same.
    """
    if not opened.is_folder:
        return [_result(_run(opened), (opened,))]
    files = tuple(opened.inner(name) for name in (DETAIL, SUMMARY) if opened.has(name))
    runs = [_run(file) for file in files]
    if len({run.is_valid for run in runs}) > 1:
        raise Invalid(f"{SUMMARY} and {DETAIL} have different verdicts; give the files of one run.", field="file")
    return [_result(runs[0], files)]


def _run(opened: Opened) -> _Run:
    return _detail(opened) if opened.content.startswith(MARK) else _summary(opened)


def _summary(opened: Opened) -> _Run:
    lines = opened.text.splitlines()[:LINES_MAX]
    stated: dict[str, str] = {}
    for line in lines:
        key, _, value = line[:LINE_CHARS_MAX].partition(":")
        if value.strip():
            stated.setdefault(key.strip(), value.strip())
    early = opened.text.partition("Early Stopping Result:")[2].partition("\n\n")[0][:LINE_CHARS_MAX]
    return _Run(
        scenario=_scenario(opened, stated.get("Scenario")),
        mode=stated.get("Mode", ""),
        is_valid=_verdict(opened, stated.get("Result is")),
        sut=printable(stated.get("SUT name", "")) or None,
        rate=_first(opened, stated, [names[1] for names in RATES.values()]),
        mean_ns=_first(opened, stated, ["Mean latency (ns)"]),
        percentiles={
            Decimal(match[1]) / 100: number_of(text, file=opened.name, name=key)
            for key, text in stated.items()
            if (match := _PERCENTILE.match(key))
        },
        early_stopping=_sentences(early),
        broken=[words for words in CONSTRAINTS.values() if stated.get(f"{words} satisfied", "Yes") != "Yes"],
        settings={_setting(key): text for key, text in stated.items() if key.partition(" ")[0] in SETTINGS},
        errors=_logged(opened, "ERROR"),
        warnings=_logged(opened, "WARNING"),
    )


def _setting(key: str) -> str:
    """Return the name of a setting in the detail log: `min_duration (ms)` is min_duration_ms there."""
    return key.replace(" (", "_").rstrip(")")


def _sentences(text: str) -> str:
    """Return the lines about early stopping as one, without the marks of a list."""
    return printable(f" {text}".replace(" * ", " "))


def _logged(opened: Opened, word: str) -> int:
    """Return the number in a line like `2 ERRORS encountered. See detailed log.`"""
    match = re.search(rf"^(\d{{1,9}}) {word}S? encountered", opened.text, re.MULTILINE | re.IGNORECASE)
    return int(match[1]) if match else 0


def _first(opened: Opened, stated: Mapping[str, str], keys: list[str]) -> Decimal | None:
    key = next((key for key in keys if key in stated), None)
    return number_of(stated[key], file=opened.name, name=key) if key is not None else None


def _detail(opened: Opened) -> _Run:
    stated, errors, warnings = _entries(opened)
    scenario = _scenario(opened, stated.text("effective_scenario"))
    rate = stated.number(RATES[scenario][0]) if scenario in RATES else None
    is_of_queries = scenario == "MultiStream"
    pattern = _OF_QUERIES if is_of_queries else _OF_SAMPLES
    return _Run(
        scenario=scenario,
        mode=stated.text("effective_test_mode") or "",
        is_valid=_verdict(opened, stated.text("result_validity")),
        sut=stated.text("sut_name"),
        rate=rate,
        mean_ns=stated.number("result_mean_query_latency_ns" if is_of_queries else "result_mean_latency_ns"),
        percentiles={
            Decimal(match[1]) / 100: value
            for key in stated.names
            if (match := pattern.match(key)) and (value := stated.number(key)) is not None
        },
        early_stopping=_sentences(stated.text("early_stopping_result") or ""),
        broken=[words for key, words in CONSTRAINTS.items() if stated.flag(key) is False],
        settings={
            key: shown(stated.plain(f"effective_{key}"))
            for base in SETTINGS
            for key in (base, f"{base}_ns", f"{base}_ms")
            if f"effective_{key}" in stated.names
        },
        queries=stated.count("result_query_count"),
        errors=max(errors, stated.count("num_errors") or 0),
        warnings=max(warnings, stated.count("num_warnings") or 0),
        version=stated.text("loadgen_version"),
        started_at=stated.moment("test_datetime"),
    )


def _entries(opened: Opened) -> tuple[Fields, int, int]:
    """Return the last value of each key, and how many entries are errors and warnings."""
    lines = [line for line in opened.text.splitlines() if line]
    if len(lines) > LINES_MAX:
        raise Invalid(f"{opened.name} has more than {LINES_MAX:,} lines.", field="file")
    stated: dict[str, Any] = {}
    errors = warnings = 0
    for place, line in enumerate(lines, 1):
        name = f"Line {place} of {opened.name}"
        entry = Fields(
            parse_object(line.removeprefix(MARK.decode()), name=name, field="file", number=Decimal, is_cleaning=True),
            file=opened.name,
        )
        stated[entry.text("key") or ""] = entry.plain("value")
        errors += entry.inside("metadata").flag("is_error") is True
        warnings += entry.inside("metadata").flag("is_warning") is True
    return Fields(stated, file=opened.name), errors, warnings


def _scenario(opened: Opened, stated: str | None) -> str:
    if stated not in SCENARIOS:
        text = f"{opened.name} has no scenario of LoadGen ({', '.join(SCENARIOS)}); an accuracy run states no result."
        raise Invalid(text, field="file")
    return stated


def _verdict(opened: Opened, stated: str | None) -> bool:
    if stated not in ("VALID", "INVALID"):
        text = f"{opened.name} has no verdict, so the run did not end or measured accuracy only; give another run."
        raise Invalid(text, field="file")
    return stated == "VALID"


def _result(run: _Run, files: tuple[Opened, ...]) -> ImportedResult:
    findings = Findings(reader=NAME, tool=TOOL, files=tuple(file.file for file in files), part=run.scenario)
    findings.tool_version, findings.started_at = run.version, run.started_at
    findings.absent("ended_at", "LoadGen states the end of a run without a time zone.")
    findings.model = SubjectHint(name=run.sut)
    findings.absent("data", "LoadGen states how many samples it loaded, not which.")
    findings.absent("error_rate", "LoadGen does not count failed queries.")
    for name, text in {"scenario": run.scenario, "mode": run.mode, **run.settings}.items():
        findings.condition(name, text)
    counted = _COUNTS.search(run.early_stopping)
    stated = int(counted[1] or counted[2]) if counted else None
    n = run.queries if run.queries is not None else stated
    _latency(findings, run, n)
    reason = f"LoadGen states no rate in the {run.scenario} scenario."
    # In the Offline scenario, one query holds many samples, and the rate is that of samples.
    rate_n = None if run.scenario == "Offline" else n
    findings.metric("throughput_per_s", run.rate, "1/s", Sample(n=rate_n), reason=reason)
    findings.requests(n=n)
    _judge(findings, run)
    return findings.result()


def _latency(findings: Findings, run: _Run, n: int | None) -> None:
    if run.scenario == "Offline":
        text = "In the Offline scenario LoadGen sends one query with all samples; its latency is that of the whole run."
        for percentile in PERCENTILES:
            findings.absent(f"latency_{percentile}_ms", text)
        return
    own = {share: f"latency_{key}_ms" for key, share in PERCENTILES.items()} if run.scenario != "MultiStream" else {}
    kind = "query_latency" if run.scenario == "MultiStream" else "latency"
    estimates = {Decimal(share) / 100: Decimal(upper) for share, upper in _ESTIMATE.findall(run.early_stopping)}
    points = tuple((share, scaled(value, -6)) for share, value in sorted(run.percentiles.items()))
    for share, value in points:
        name = own.get(share, f"{NAME}.{kind}_p{(share * 100).normalize():f}_ms")
        upper = scaled(estimates.get(share), -6)
        observed = points if share == PERCENTILES["p50"] else ()
        sample = Sample(n=n, upper=upper, confidence=CONFIDENCE if upper else None, observed=observed)
        findings.metric(name, value, "ms", sample)
    findings.metric(f"{NAME}.{kind}_mean_ms", scaled(run.mean_ns, -6), "ms", Sample(n=n))
    if run.scenario == "MultiStream":
        findings.absent(
            "latency_p50_ms", "In the MultiStream scenario a latency is that of a query of several samples."
        )


def _judge(findings: Findings, run: _Run) -> None:
    if not run.is_valid:
        because = f"; not met: {', '.join(run.broken).lower()}" if run.broken else ""
        findings.doubt(ImportStatus.INVALID, f"LoadGen says that the result is INVALID{because}.")
        if run.early_stopping:
            findings.doubt(ImportStatus.INVALID, f"LoadGen on early stopping: {run.early_stopping}")
    elif run.broken:
        findings.doubt(
            ImportStatus.INDICATIVE, f"LoadGen says VALID, but these are not met: {', '.join(run.broken).lower()}."
        )
    if run.errors:
        findings.doubt(ImportStatus.INVALID, f"LoadGen logged {run.errors:,} errors during the test.")
    if run.warnings:
        findings.doubt(ImportStatus.INDICATIVE, f"LoadGen logged {run.warnings:,} warnings during the test.")
    if run.mode != "PerformanceOnly":
        findings.doubt(ImportStatus.INDICATIVE, f"The mode was {run.mode or 'not stated'}, not PerformanceOnly.")
