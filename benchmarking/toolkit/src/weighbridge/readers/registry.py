"""The readers, and `read_results`, which finds the one for a file by its content."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

from weighbridge.core.errors import Invalid
from weighbridge.readers.imported_result import ImportedResult
from weighbridge.readers.opened import Opened
from weighbridge.readers.tools import (
    aiperf,
    guidellm,
    inspect_logs,
    lm_eval,
    loadgen,
    mlflow_runs,
    triton,
    wandb_runs,
    weighbridge_results,
)

RESULTS_MAX = 1_000


@dataclasses.dataclass(frozen=True)
class ResultReader:
    """A reader: its name for `--tool`, the tool in words, its files, how they are told, and how they are read.

    `detects` looks at the content alone; `read` returns at least one result, or raises Invalid.
    """

    name: str
    tool: str
    files: str
    detects: Callable[[Opened], bool]
    read: Callable[[Opened], Iterable[ImportedResult]]


READERS = (
    ResultReader(
        weighbridge_results.NAME,
        weighbridge_results.TOOL,
        "JSON of profile, load, score and compare",
        weighbridge_results.detects,
        weighbridge_results.read,
    ),
    ResultReader(
        loadgen.NAME,
        loadgen.TOOL,
        "mlperf_log_summary.txt, mlperf_log_detail.txt, or their folder",
        loadgen.detects,
        loadgen.read,
    ),
    ResultReader(guidellm.NAME, guidellm.TOOL, "JSON report", guidellm.detects, guidellm.read),
    ResultReader(
        aiperf.AIPERF,
        "AIPerf, GenAI-Perf",
        "profile_export_aiperf.json, profile_export_genai_perf.json",
        aiperf.detects,
        aiperf.read,
    ),
    ResultReader(
        triton.NAME,
        "Triton perf_analyzer, Model Analyzer",
        "CSV of perf_analyzer -f, metrics-model-inference.csv",
        triton.detects,
        triton.read,
    ),
    ResultReader(lm_eval.NAME, lm_eval.TOOL, "results_*.json", lm_eval.detects, lm_eval.read),
    ResultReader(inspect_logs.NAME, inspect_logs.TOOL, "logs, .json or .eval", inspect_logs.detects, inspect_logs.read),
    ResultReader(
        mlflow_runs.NAME,
        mlflow_runs.TOOL,
        "JSON of runs/get or runs/search, a folder of mlruns",
        mlflow_runs.detects,
        mlflow_runs.read,
    ),
    ResultReader(
        wandb_runs.NAME,
        wandb_runs.TOOL,
        "wandb-summary.json, or the folder of a run",
        wandb_runs.detects,
        wandb_runs.read,
    ),
)


def read_results(path: Path, *, tool: str | None = None) -> list[ImportedResult]:
    """Return the results in a file or folder of another tool, at least one.

    The reader is found by the content, or named by `tool`, and then the content must still be its own. Raises Invalid
    for content that no reader or more than one takes, that is damaged, or that states NaN or infinity; TooLarge above
    64 MB.
    """
    opened = Opened(path)
    reader = _named(opened, tool) if tool is not None else _found(opened)
    results = list(itertools.islice(reader.read(opened), RESULTS_MAX + 1))
    if not results:
        raise Invalid(f"{opened.name} has no result.", code="no_metrics", field="file")
    if len(results) > RESULTS_MAX:
        raise Invalid(f"{opened.name} has more than {RESULTS_MAX:,} results; import a part of it.", field="file")
    return results


def _named(opened: Opened, tool: str) -> ResultReader:
    reader = next((each for each in READERS if each.name == tool), None)
    if reader is None:
        names = ", ".join(each.name for each in READERS)
        raise Invalid(f"There is no reader {tool!r}; use one of {names}.", code="no_reader", field="tool")
    if not reader.detects(opened):
        raise Invalid(f"{opened.name} is no file of {reader.tool} ({reader.files}).", code="not_its_file", field="file")
    return reader


def _found(opened: Opened) -> ResultReader:
    found = [each for each in READERS if each.detects(opened)]
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        text = f"{opened.name} may be of several tools ({names}); name one with --tool."
        raise Invalid(text, code="ambiguous", field="tool")
    if not found:
        accepted = "; ".join(f"{each.tool}: {each.files}" for each in READERS)
        text = f"{opened.name} is no result that can be read. Accepted are {accepted}."
        raise Invalid(text, code="unknown_file", field="file")
    return found[0]
