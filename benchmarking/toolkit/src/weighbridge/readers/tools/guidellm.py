"""GuideLLM: the JSON report (https://github.com/vllm-project/guidellm, the forms of versions 0.3 and 0.8).

Each benchmark of a report is a result. Latencies are of successful requests. Reports of 0.8 have a latency from the
moment a request was due, too; without it, the latency of a run at a fixed rate is measured from sending, and the wait
of requests that were sent late is missing from it. Where 0.8 has `config`, 0.3 has `args` and `worker`.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from weighbridge.readers.fields import Fields, scaled
from weighbridge.readers.findings import FROM_SENDING, PERCENTILES, Findings, Sample
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.opened import Opened

NAME, TOOL = "guidellm", "GuideLLM"
UNSTATED, DATA_MAX = "unstated", 1
OPEN_LOOPS = ("constant", "poisson", "async", "replay")
SHARES = {
    **{f"p{whole:02}": Decimal(whole) / 100 for whole in (1, 5, 10, 25, 50, 75, 90, 95, 99)},
    "p001": Decimal("0.001"),
    "p999": Decimal("0.999"),
}
# The metrics that are taken besides the latency of a request: our ending, and the unit.
TIMES_MS = {
    "time_to_first_token_ms": "ttft",
    "inter_token_latency_ms": "inter_token_latency",
    "time_per_output_token_ms": "time_per_output_token",
}
RATES = {
    "output_tokens_per_second": ("output_tokens_per_s", "1/s"),
    "tokens_per_second": ("tokens_per_s", "1/s"),
    "request_concurrency": ("concurrency_mean", "requests"),
}
SETTINGS = ("rate", "streams", "max_concurrency", "rampup_duration", "worker_count")


def detects(opened: Opened) -> bool:
    """Whether the file is a report: its benchmarks say `generative_benchmark`, or have the metrics of one."""
    benchmarks = opened.document.get("benchmarks")
    first = benchmarks[0] if isinstance(benchmarks, list) and benchmarks else None
    metrics = first.get("metrics") if isinstance(first, dict) else None
    return isinstance(metrics, dict) and "request_latency" in metrics and "requests_per_second" in metrics


def read(opened: Opened) -> Iterable[ImportedResult]:
    """Return a result for each benchmark; raise Invalid."""
    report = Fields(opened.document, file=opened.name)
    benchmarks = enumerate(report.entries("benchmarks"), 1)
    return (_result(opened, report, each, place) for place, each in benchmarks)


def _result(opened: Opened, report: Fields, benchmark: Fields, place: int) -> ImportedResult:
    config = benchmark.inside("config")
    strategy = config.inside("strategy") if config.names else benchmark.inside("args", "strategy")
    kind = strategy.text("type_") or UNSTATED
    findings = Findings(reader=NAME, tool=TOOL, files=(opened.file,), part=f"benchmark {place}, {kind}")
    findings.tool_version = report.inside("metadata").text("guidellm_version")
    findings.started_at, findings.ended_at = benchmark.unix_moment("start_time"), benchmark.unix_moment("end_time")
    findings.model = SubjectHint(
        name=_backend(config).text("model") or benchmark.inside("worker").text("backend_model")
    )
    findings.absent("data", "The report has no digest of the prompts; how they were made is in the conditions.")
    _conditions(findings, report, benchmark, strategy)
    metrics = benchmark.inside("metrics")
    totals = (metrics if metrics.plain("request_totals") is not None else benchmark).inside("request_totals")
    n, failed = totals.count("successful"), totals.count("errored")
    _latency(findings, metrics, config, kind=kind, n=n)
    rate = metrics.inside("requests_per_second", "successful").number("mean")
    findings.metric("throughput_per_s", rate, "1/s", Sample(n=n))
    for key, name in TIMES_MS.items():
        _distribution(findings, metrics.inside(key, "successful"), f"{NAME}.{name}", config, power=0)
    for key, (name, unit) in RATES.items():
        findings.metric(f"{NAME}.{name}", metrics.inside(key, "successful").number("mean"), unit, Sample(n=n))
    findings.requests(n=n, failed=failed)
    _judge(findings, benchmark, totals)
    return findings.result()


def _backend(config: Fields) -> Fields:
    backend = config.plain("backend")
    return config.inside("backend") if isinstance(backend, dict) else Fields({}, file=config.file)


def _latency(findings: Findings, metrics: Fields, config: Fields, *, kind: str, n: int | None) -> None:
    """Take the latency from the due moment if the report has it, else the one from sending with a doubt."""
    sent, due = metrics.inside("request_latency", "successful"), None
    if metrics.plain("request_scheduled_latency") is not None:
        due = metrics.inside("request_scheduled_latency", "successful")
    if due is not None and due.count("count"):
        _distribution(findings, due, "latency", config, power=3)
        _distribution(findings, sent, f"{NAME}.latency_from_sending", config, power=3)
        findings.condition("latency_measured_from", "the moment the request was due")
        return
    _distribution(findings, sent, "latency", config, power=3)
    findings.condition("latency_measured_from", "sending the request")
    if kind == UNSTATED:
        findings.doubt(ImportStatus.INDICATIVE, "The report does not state how requests were scheduled.")
    if kind in OPEN_LOOPS:
        findings.doubt(ImportStatus.INDICATIVE, FROM_SENDING)


def _distribution(findings: Findings, summary: Fields, name: str, config: Fields, *, power: int) -> None:
    """Take the percentiles and the mean of a distribution, in milliseconds."""
    n, percentiles = summary.count("count"), summary.inside("percentiles")
    if not n:
        findings.absent(f"{name}_p50_ms", "No successful request has this time.")
        return
    observed = tuple(_points(percentiles, power))
    for key in PERCENTILES:
        bounds = summary.inside("percentile_cis", key)
        lower, upper = (scaled(bounds.number(end), power) for end in ("lower", "upper"))
        confidence = config.number("confidence")
        sample = Sample(n, lower, upper, confidence, observed if key == "p50" else ())
        findings.metric(f"{name}_{key}_ms", scaled(percentiles.number(key), power), "ms", sample)
    own = name if name.startswith(NAME) else f"{NAME}.{name}"
    findings.metric(f"{own}_mean_ms", scaled(summary.number("mean"), power), "ms", Sample(n=n))


def _points(percentiles: Fields, power: int) -> Iterator[tuple[Decimal, Decimal]]:
    for key, share in sorted(SHARES.items(), key=lambda pair: pair[1]):
        value = scaled(percentiles.number(key), power)
        if value is not None:
            yield share, value


def _conditions(findings: Findings, report: Fields, benchmark: Fields, strategy: Fields) -> None:
    findings.condition("strategy", strategy.plain("type_"))
    for key in SETTINGS:
        findings.condition(key, strategy.plain(key))
    backend = _backend(benchmark.inside("config"))
    for key in ("kind", "target", "request_format", "stream", "http2"):
        findings.condition(f"backend.{key}", backend.plain(key))
    worker = benchmark.inside("worker")
    for key in ("backend_type", "backend_target"):
        findings.condition(key, worker.plain(key))
    findings.condition("data", benchmark.inside("request_loader").plain("data"))
    for data in report.inside("config", "spec").entries("data")[:DATA_MAX]:
        for key in ("kind", "path", "prompt_tokens", "output_tokens", "turns"):
            findings.condition(f"data.{key}", data.plain(key))
    findings.condition("platform", report.inside("metadata").plain("platform"))
    for key in ("duration", "warmup_duration", "cooldown_duration"):
        findings.condition(f"{key}_s", benchmark.plain(key))
    for key in ("prompt_token_count", "output_token_count"):
        summary = benchmark.inside("metrics", key, "successful")
        findings.condition(f"{key}_mean", summary.plain("mean") if summary.count("count") else None)


def _judge(findings: Findings, benchmark: Fields, totals: Fields) -> None:
    incomplete = totals.count("incomplete")
    if incomplete:
        text = f"{incomplete:,} requests were not complete when the benchmark ended; latencies do not contain them."
        findings.doubt(ImportStatus.INDICATIVE, text)
    warnings = benchmark.list("warnings") if isinstance(benchmark.plain("warnings"), list) else []
    for warning in warnings[:10]:
        message = warning.get("message") if isinstance(warning, dict) else None
        if isinstance(message, str):
            findings.doubt(ImportStatus.INDICATIVE, f"{TOOL} warns: {message}")
