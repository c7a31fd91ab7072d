"""AIPerf and GenAI-Perf: `profile_export_aiperf.json` and `profile_export_genai_perf.json`.

The formats: https://github.com/ai-dynamo/aiperf (schema 1.x), and GenAI-Perf 0.0.x, which has no version in its file.
Both state a unit with each metric. Latency is measured from sending. AIPerf adds `effective_latency`, from the moment a
request was due; of a run at a fixed rate it is taken as the latency, unless requests failed, for it contains those too.
"""

from collections.abc import Iterator
from decimal import Decimal

from weighbridge.readers.fields import Fields, scaled
from weighbridge.readers.findings import FROM_SENDING, PERCENTILES, Findings, Sample
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.opened import Opened

AIPERF, GENAI_PERF = "aiperf", "genai_perf"
TOOLS = {AIPERF: "AIPerf", GENAI_PERF: "GenAI-Perf"}
POWERS = {"ns": -6, "us": -3, "ms": 0, "sec": 3, "s": 3}
POINTS = ("p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99")
TIMES = {"time_to_first_token": "ttft", "inter_token_latency": "inter_token_latency"}
RATES = {
    "output_token_throughput": ("output_tokens_per_s", "tokens/sec", "1/s"),
    "total_token_throughput": ("tokens_per_s", "tokens/sec", "1/s"),
    "effective_concurrency": ("concurrency_mean", "requests", "requests"),
}
LENGTHS = ("input_sequence_length", "output_sequence_length")


def detects(opened: Opened) -> bool:
    """Whether the file is a report of one of both: metrics with units, and `input_config`."""
    throughput = opened.document.get("request_throughput")
    return "input_config" in opened.document and isinstance(throughput, dict) and "unit" in throughput


def read(opened: Opened) -> list[ImportedResult]:
    """Return the result of the report; raise Invalid."""
    report = Fields(opened.document, file=opened.name)
    name = AIPERF if report.plain("aiperf_version") is not None else GENAI_PERF
    findings = Findings(reader=AIPERF, tool=TOOLS[name], files=(opened.file,))
    findings.tool_version = report.text("aiperf_version")
    findings.started_at, findings.ended_at = report.moment("start_time"), report.moment("end_time")
    for key, value in (("started_at", findings.started_at), ("ended_at", findings.ended_at)):
        if value is None:
            findings.absent(key, "The file states no time with a time zone.")
    findings.model = SubjectHint(name=_model(report))
    findings.absent("data", "The file does not state which prompts were sent.")
    n = _count(report, "request_count")
    is_open = any(list(_settings(report, findings)))
    _latency(findings, report, name, is_open=is_open)
    _metrics(findings, report, name, n)
    _judge(findings, report, n)
    return [findings.result()]


def _model(report: Fields) -> str | None:
    config = report.inside("input_config")
    if isinstance(config.plain("model_names"), list):
        names = [each for each in config.list("model_names") if isinstance(each, str)]
    else:
        names = [text for each in config.inside("models").entries("items") if (text := each.text("name"))]
    return names[0] if len(names) == 1 else None


def _count(report: Fields, key: str) -> int | None:
    return report.inside(key).count("avg")


def _settings(report: Fields, findings: Findings) -> Iterator[bool]:
    """Take the conditions; yield for each phase whether it sends at fixed moments (an open loop)."""
    config = report.inside("input_config")
    endpoint = config.inside("endpoint")
    for key in ("type", "streaming", "url", "urls", "service_kind", "backend"):
        findings.condition(f"endpoint.{key}", endpoint.plain(key))
    stimulus = config.inside("perf_analyzer", "stimulus")
    for key in stimulus.names:
        findings.condition(key, stimulus.plain(key))
    yield "request_rate" in stimulus.names
    for phase in config.entries("phases"):
        if phase.text("kind") in (None, "profiling"):
            for key in ("type", "requests", "concurrency", "rate", "duration"):
                findings.condition(f"load.{key}", phase.plain(key))
            yield phase.plain("rate") is not None
    for key in LENGTHS:
        findings.condition(f"{key}_mean", report.inside(key).plain("avg"))
    findings.condition("command", report.inside("run_info").plain("cli_command"))


def _latency(findings: Findings, report: Fields, tool: str, *, is_open: bool) -> None:
    """Take the latency from the due moment if it is that of the answered requests, else the one from sending."""
    sent, due = report.inside("request_latency"), report.inside("effective_latency")
    is_due = is_open and due.count("count") is not None and due.count("count") == sent.count("count")
    n = _count(report, "request_count")
    _times(findings, due if is_due else sent, "latency", tool, n)
    if is_due:
        _times(findings, sent, f"{tool}.latency_from_sending", tool, n)
    moment = "the moment the request was due" if is_due else "sending the request"
    findings.condition("latency_measured_from", moment)
    if is_open and not is_due:
        findings.doubt(ImportStatus.INDICATIVE, FROM_SENDING)


def _metrics(findings: Findings, report: Fields, tool: str, n: int | None) -> None:
    for key, name in TIMES.items():
        if report.plain(key) is not None:
            _times(findings, report.inside(key), f"{tool}.{name}", tool, n)
    throughput = report.inside("request_throughput")
    _rate(findings, throughput, "throughput_per_s", ("requests/sec", "1/s"), n)
    for key, (name, stated, unit) in RATES.items():
        if report.plain(key) is not None:
            _rate(findings, report.inside(key), f"{tool}.{name}", (stated, unit), n)


def _times(findings: Findings, metric: Fields, name: str, tool: str, answered: int | None) -> None:
    unit = metric.text("unit")
    if unit not in POWERS:
        findings.absent(f"{name}_p50_ms", f"The unit is {unit or 'not stated'}, which is no time that is known.")
        return
    power, n = POWERS[unit], metric.count("count") if metric.plain("count") is not None else answered
    points = ((key, scaled(metric.number(key), power)) for key in POINTS)
    observed = tuple((Decimal(key[1:]) / 100, value) for key, value in points if value is not None)
    for key in PERCENTILES:
        sample = Sample(n=n, observed=observed if key == "p50" else ())
        findings.metric(f"{name}_{key}_ms", scaled(metric.number(key), power), "ms", sample)
    own = name if name.startswith(tool) else f"{tool}.{name}"
    findings.metric(f"{own}_mean_ms", scaled(metric.number("avg"), power), "ms", Sample(n=n))


def _rate(findings: Findings, metric: Fields, name: str, units: tuple[str, str], n: int | None) -> None:
    stated, unit = units
    is_known = metric.text("unit") == stated
    reason = f"The unit is {metric.text('unit') or 'not stated'}, not {stated}."
    findings.metric(name, metric.number("avg") if is_known else None, unit, Sample(n=n), reason=reason)


def _judge(findings: Findings, report: Fields, n: int | None) -> None:
    errors = _count(report, "error_request_count")
    if errors is None and report.plain("error_summary") is not None:
        errors = sum(each.count("count") or 0 for each in report.entries("error_summary"))
    if errors is None:
        findings.absent("error_rate", "The file does not state how many requests failed.")
    findings.requests(n=n, failed=errors)
    if report.flag("was_cancelled"):
        findings.doubt(ImportStatus.INVALID, "The run was canceled before its end.")
    if report.flag("is_complete") is False:
        findings.doubt(ImportStatus.INVALID, "The file says that the run is not complete.")
