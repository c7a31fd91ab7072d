"""Triton: the CSV files of perf_analyzer (`-f`) and of Model Analyzer (`metrics-model-inference.csv`).

The formats: https://github.com/triton-inference-server/perf_analyzer/blob/main/docs/cli.md, which states microseconds,
and https://github.com/triton-inference-server/model_analyzer/blob/main/docs/metrics.md; the columns of Model Analyzer
state their units. Each row is a result. Neither file says how many requests were sent or failed, or when.
"""

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import number_of, printable, scaled
from weighbridge.readers.findings import FROM_SENDING, UNKNOWN_COUNT, Findings, Sample
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.opened import Opened

NAME, PERF, ANALYZER = "triton", "perf_analyzer", "model_analyzer"
TOOLS = {PERF: "perf_analyzer", ANALYZER: "Triton Model Analyzer"}
ROWS_MAX, COLUMNS_MAX = 1_000, 100
STIMULI = ("Concurrency", "Request Rate")
RATE = "Inferences/Second"
PATH = "Model Config Path"
HEAD_BYTES = 10_000
_TIMES_US = {f"p{whole} latency": Decimal(whole) / 100 for whole in (50, 90, 95, 99)}
_AVERAGES_US = (
    *("Client Send", "Client Recv", "Network+Server Send/Recv", "Server Queue", "Server Compute Input"),
    *("Server Compute Infer", "Server Compute Output", "Avg latency"),
)
_NAMES = {"p50": "latency_p50_ms", "p95": "latency_p95_ms", "p99": "latency_p99_ms"}
_ANALYZED = {
    "Throughput (infer/sec)": ("throughput_per_s", "1/s"),
    "p90 Latency (ms)": (f"{ANALYZER}.latency_p90_ms", "ms"),
    "p95 Latency (ms)": ("latency_p95_ms", "ms"),
    "p99 Latency (ms)": ("latency_p99_ms", "ms"),
    "Avg Latency (ms)": (f"{ANALYZER}.latency_mean_ms", "ms"),
    "Max GPU Memory Usage (MB)": (f"{ANALYZER}.gpu_memory_mb", "MB"),
    "GPU Memory Usage (MB)": (f"{ANALYZER}.gpu_memory_mb", "MB"),
    "Average GPU Utilization (%)": (f"{ANALYZER}.gpu_utilization_percent", "%"),
    "GPU Utilization (%)": (f"{ANALYZER}.gpu_utilization_percent", "%"),
    "Average GPU Power Usage (W)": (f"{ANALYZER}.gpu_power_w", "W"),
    "GPU Power Usage (W)": (f"{ANALYZER}.gpu_power_w", "W"),
    "RAM Usage (MB)": (f"{ANALYZER}.memory_mb", "MB"),
}


def detects(opened: Opened) -> bool:
    """Whether the first line has the columns of one of the files."""
    head = opened.content[:HEAD_BYTES].partition(b"\n")[0].decode(errors="replace")
    return _kind(head) is not None


def read(opened: Opened) -> list[ImportedResult]:
    """Return a result for each row; raise Invalid for another form, and for more than 1,000 rows."""
    rows = list(_rows(opened))
    kind = _kind(opened.text.partition("\n")[0])
    if not rows:
        raise Invalid(f"{opened.name} has no rows.", field="file")
    take = _perf_row if kind == PERF else _analyzer_row
    return [take(opened, row, place) for place, row in enumerate(rows, 1)]


def _kind(head: str) -> str | None:
    if head.startswith(STIMULI) and f",{RATE}" in head:
        return PERF
    return ANALYZER if head.startswith("Model,") and f",{PATH}," in head else None


def _rows(opened: Opened) -> Iterator[Mapping[str, str]]:
    """Yield the rows of the first table by column; Model Analyzer puts several tables into one file, by blank lines."""
    try:
        table = csv.reader(opened.text.splitlines(), strict=True)
        columns = [printable(column, 100) for column in next(table)]
        if len(columns) > COLUMNS_MAX or len(set(columns)) < len(columns):
            raise Invalid(f"{opened.name} has a column twice, or more than {COLUMNS_MAX}.", field="file")
        for place, row in enumerate(table):
            if not any(row):
                return
            if place >= ROWS_MAX or len(row) not in (len(columns), len(columns) - 1):
                reason = f"row {place + 1} has {len(row)} cells for {len(columns)} columns"
                reason = reason if place < ROWS_MAX else f"it has more than {ROWS_MAX:,} rows"
                raise Invalid(f"{opened.name} cannot be read: {reason}.", field="file")
            yield dict(zip(columns, row, strict=False))
    except csv.Error as error:
        raise Invalid(f"{opened.name} is not a valid CSV file: {error}.", field="file") from error


def _number(opened: Opened, row: Mapping[str, str], column: str) -> Decimal | None:
    """Return the number in a cell; None for an empty cell or no such column."""
    text = row.get(column, "").strip()
    return number_of(text, file=opened.name, name=column) if text else None


def _perf_row(opened: Opened, row: Mapping[str, str], place: int) -> ImportedResult:
    findings = _findings(PERF, opened)
    stimulus = next(name for name in STIMULI if name in row)
    findings.part = f"row {place}, {stimulus.lower()} {row[stimulus]}"
    findings.absent("model", "The file does not name the model.")
    findings.condition(stimulus.lower().replace(" ", "_"), row[stimulus])
    times = {column: scaled(_number(opened, row, column), -3) for column in _TIMES_US}
    points = ((share, times[column]) for column, share in _TIMES_US.items())
    observed = tuple((share, value) for share, value in points if value is not None)
    for column, value in times.items():
        percentile = column.partition(" ")[0]
        name = _NAMES.get(percentile, f"{PERF}.latency_{percentile}_ms")
        findings.metric(name, value, "ms", Sample(observed=observed if percentile == "p50" else ()))
    findings.metric("throughput_per_s", _number(opened, row, RATE), "1/s")
    for column in _AVERAGES_US:
        if column in row:
            ending = column.lower().replace("/", "_").replace("+", "_").replace(" ", "_")
            findings.metric(f"{PERF}.{ending}_mean_ms", scaled(_number(opened, row, column), -3), "ms")
    if stimulus == "Request Rate":
        findings.doubt(ImportStatus.INDICATIVE, FROM_SENDING)
    return findings.result()


def _analyzer_row(opened: Opened, row: Mapping[str, str], place: int) -> ImportedResult:
    findings = _findings(ANALYZER, opened)
    findings.part = f"row {place}, {row[PATH]}"
    models = row["Model"].split(",")
    findings.model = SubjectHint(name=printable(models[0]) if len(models) == 1 else None)
    for column, text in row.items():
        if column not in _ANALYZED:
            findings.condition(column.lower().replace(" ", "_"), text)
    for column, (name, unit) in _ANALYZED.items():
        if column not in row:
            continue
        if "[" in row[column]:
            findings.absent(name, "The cell has a number for each of several models, not one for a model.")
            continue
        findings.metric(name, _number(opened, row, column), unit)
    for name in ("latency_p50_ms", "latency_p95_ms"):
        if not any(taken == name and column in row for column, (taken, _) in _ANALYZED.items()):
            findings.absent(name, "The file has no such column.")
    if row.get("Satisfies Constraints", "Yes") != "Yes":
        text = (
            f"The tool says that this configuration does not satisfy its constraints ({row['Satisfies Constraints']})."
        )
        findings.doubt(ImportStatus.INDICATIVE, text)
    if "Request Rate" in row:
        findings.doubt(ImportStatus.INDICATIVE, FROM_SENDING)
    return findings.result()


def _findings(kind: str, opened: Opened) -> Findings:
    findings = Findings(reader=NAME, tool=TOOLS[kind], files=(opened.file,))
    findings.absent("tool_version", "The file does not state it.")
    findings.absent("started_at", "The file does not state when the run was.")
    findings.absent("error_rate", "The file does not state how many requests failed.")
    findings.doubt(ImportStatus.INDICATIVE, UNKNOWN_COUNT)
    return findings
