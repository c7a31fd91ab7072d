"""MLflow: the JSON of `runs/get` and `runs/search`, and the folder of a run, an experiment or a file store (`mlruns`).

The formats: https://mlflow.org/docs/latest/api_reference/rest-api.html, and the file store of MLflow 1 to 3: a line of
a metric is `timestamp value step`. The value of the last step counts. A tracker does not state what a metric means, so
no metric gets a name of ours.
"""

import dataclasses
import io
from collections.abc import Iterator
from decimal import Decimal

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.limits import DOCUMENT
from weighbridge.core.parsing.yaml_text import parse_yaml
from weighbridge.readers.fields import MS_PER_S, Fields, number_of, printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, ReadFile
from weighbridge.readers.opened import LIMITS, Opened

NAME, TOOL = "mlflow", "MLflow"
META, METRICS = "meta.yaml", "metrics"
RUNS_MAX, DEPTH_MAX, BYTES_MAX = 200, 5, LIMITS.bytes_max
LINE_CHARS_MAX = 1_000
STATES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
UNIT = "unstated"
OWN_TAGS = ("mlflow.source.git.commit", "mlflow.source.name", "mlflow.source.type")
TRACKED = (
    "A tracker stores what a program logged: it does not state how a value was measured, on which data, on how many "
    "rows, or in which unit."
)
LOGGED_BY_US = "The run was logged by `weighbridge track`: import its weighbridge.json instead, which has intervals."


@dataclasses.dataclass(kw_only=True)
class _Run:
    info: Fields
    metrics: dict[str, Decimal]
    params: dict[str, str]
    tags: dict[str, str]
    files: tuple[ReadFile, ...]


def detects(opened: Opened) -> bool:
    """Whether this is a folder of runs, or an answer with runs."""
    if opened.is_folder:
        return any(True for _ in _run_folders(opened))
    return any("data" in each and "info" in each for each in _answers(opened))


def read(opened: Opened) -> list[ImportedResult]:
    """Return a result for each run that has metrics; raise Invalid if none has, and for NaN and infinity."""
    runs = list(_stored(opened) if opened.is_folder else _answered(opened))
    results = [_result(run) for run in runs if run.metrics]
    if not results:
        raise Invalid(f"No run in {opened.name} has metrics.", code="no_metrics", field="file")
    return results


def _answers(opened: Opened) -> list[dict[str, object]]:
    """Return the runs of an answer as they are."""
    one, several = opened.document.get("run"), opened.document.get("runs")
    found = several if isinstance(several, list) else [one]
    return [each for each in found if isinstance(each, dict)]


def _answered(opened: Opened) -> Iterator[_Run]:
    for place, answer in enumerate(_answers(opened)[:RUNS_MAX]):
        run = Fields(answer, file=opened.name, path=f"runs[{place}]")
        data = run.inside("data")
        metrics = {each.text("key") or "": _value(each, opened.name) for each in data.entries("metrics")}
        params = {each.text("key") or "": each.text("value") or "" for each in data.entries("params")}
        tags = {each.text("key") or "": each.text("value") or "" for each in data.entries("tags")}
        yield _Run(info=run.inside("info"), metrics=metrics, params=params, tags=tags, files=(opened.file,))


def _value(metric: Fields, file: str) -> Decimal:
    """Return the value of a metric; the server writes NaN and infinity as text, which is refused."""
    value = metric.plain("value")
    number = number_of(value, file=file, name="value") if isinstance(value, str) else metric.number("value")
    if number is None:
        raise Invalid(f"{file} cannot be read: a metric has no value.", field="value")
    return number


def _run_folders(opened: Opened, depth: int = 0) -> Iterator[Opened]:
    """Yield the folders of runs: this one, its own, or those of its experiments; each has a `meta.yaml`."""
    if opened.has(META) and (opened.path / METRICS).is_dir():
        yield opened
    elif depth < 2:
        for name in opened.names():
            if (opened.path / name / META).is_file():
                yield from _run_folders(opened.inner(name), depth + 1)


def _stored(opened: Opened) -> Iterator[_Run]:
    for place, folder in enumerate(_run_folders(opened)):
        if place >= RUNS_MAX:
            raise Invalid(f"{opened.name} has more than {RUNS_MAX} runs; give the folder of one.", field="file")
        meta = folder.inner(META)
        name = f"{META} of {folder.name}"
        info = Fields(parse_yaml(meta.text, name=name, field="file", limits=DOCUMENT), file=name)
        run = _Run(info=info, metrics={}, params={}, tags={}, files=(meta.file,))
        _take_files(run, folder)
        yield run


def _take_files(run: _Run, folder: Opened) -> None:
    """Take metrics, parameters and tags, one file after another, so that only one is in memory."""
    read_files, size_bytes = list(run.files), 0
    for kind in _kinds(folder):
        for key, file in _files(folder.inner(kind)):
            read_files.append(file.file)
            size_bytes += len(file.content)
            if size_bytes > BYTES_MAX:
                raise Invalid(f"The files of {folder.name} have more than {BYTES_MAX:,} bytes.", field="file")
            if kind == METRICS:
                run.metrics[key] = _last(file)
            else:
                texts = run.params if kind == "params" else run.tags
                texts[key] = printable(file.text)
    run.files = tuple(read_files)


def _kinds(folder: Opened) -> list[str]:
    return [kind for kind in (METRICS, "params", "tags") if kind in folder.names() and (folder.path / kind).is_dir()]


def _files(folder: Opened, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Opened]]:
    """Yield the files of a folder by their names; a slash in the name of a metric makes a folder."""
    if depth >= DEPTH_MAX:
        raise Invalid(f"{folder.name} has more than {DEPTH_MAX} levels of folders.", field="file")
    for name in folder.names():
        if (folder.path / name).is_dir():
            yield from _files(folder.inner(name), f"{prefix}{name}/", depth + 1)
        elif folder.has(name):
            yield f"{prefix}{name}", folder.inner(name)


def _last(file: Opened) -> Decimal:
    """Return the value of the last step; among equal steps, the latest, then the largest, as MLflow does."""
    points = (_point(line[:LINE_CHARS_MAX].split(), file.name) for line in io.StringIO(file.text) if line.strip())
    last = max(points, default=None)
    if last is None:
        raise Invalid(f"{file.name} has no value.", field="file")
    return last[2]


def _point(columns: list[str], file: str) -> tuple[Decimal, Decimal, Decimal]:
    """Return step, time and value of a line; lines without a step are those of MLflow 0."""
    if len(columns) < 2:
        raise Invalid(f"{file} cannot be read: a line is not `timestamp value step`.", field="file")
    time, value = (number_of(text, file=file, name=file) for text in columns[:2])
    step = number_of(columns[2], file=file, name="step") if len(columns) > 2 else Decimal(0)
    return step, time, value


def _result(run: _Run) -> ImportedResult:
    info = run.info
    name = run.tags.get("mlflow.runName") or info.text("run_name") or info.text("run_id") or ""
    findings = Findings(reader=NAME, tool=TOOL, files=run.files, part=name)
    findings.started_at = info.unix_moment("start_time", per_s=MS_PER_S)
    findings.ended_at = info.unix_moment("end_time", per_s=MS_PER_S)
    findings.absent("tool_version", "The files do not state it.")
    findings.absent("model", "The run does not state which file the model is.")
    findings.absent("data", "The run does not state which data were used.")
    for key in ("run_id", "experiment_id", "lifecycle_stage"):
        findings.condition(key, info.plain(key))
    for key, text in run.params.items():
        findings.condition(f"param.{key}", text)
    for key, text in run.tags.items():
        if not key.startswith("mlflow.") or key in OWN_TAGS:
            findings.condition(f"tag.{key}", text)
    for key, value in run.metrics.items():
        findings.metric(f"{NAME}.{printable(key, 180)}", value, UNIT)
    _judge(findings, run)
    return findings.result()


def _judge(findings: Findings, run: _Run) -> None:
    findings.doubt(ImportStatus.INDICATIVE, TRACKED)
    if any(key.startswith("weighbridge.") for key in run.tags):
        findings.doubt(ImportStatus.INDICATIVE, LOGGED_BY_US)
    stated = run.info.plain("status")
    state = STATES.get(stated, "unknown") if isinstance(stated, int) else printable(str(stated))
    if state != "FINISHED":
        findings.doubt(ImportStatus.INVALID, f"The state of the run is {state}, not FINISHED.")
    if run.info.plain("lifecycle_stage") == "deleted":
        findings.doubt(ImportStatus.INVALID, "The run was deleted.")
