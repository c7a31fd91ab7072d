"""Weights & Biases: `wandb-summary.json`, or the folder of a run, with `wandb-metadata.json` and `config.yaml`.

The formats are those of the client, https://github.com/wandb/wandb, versions 0.13 to 0.31. An offline run of a recent
client keeps its summary in its `.wandb` file only, which is not read; it has these files after `wandb sync`. A tracker
does not state what a metric means, so no metric gets a name of ours.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.limits import DOCUMENT
from weighbridge.core.parsing.yaml_text import parse_yaml
from weighbridge.readers.fields import Fields, printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult, ImportStatus
from weighbridge.readers.opened import Opened
from weighbridge.readers.tools.mlflow_runs import TRACKED, UNIT

NAME, TOOL = "wandb", "Weights & Biases"
SUMMARY, METADATA, CONFIG = "wandb-summary.json", "wandb-metadata.json", "config.yaml"
OWN_KEYS = {"_wandb", "_runtime", "_step", "_timestamp"}
NOT_FINITE = ("NaN", "Infinity", "-Infinity")
MACHINE = ("os", "python", "program", "cpu_count", "gpu", "gpu_count", "gpu_type", "cudaVersion", "cuda")
DEPTH_MAX = 10


def detects(opened: Opened) -> bool:
    """Whether this is a summary, or the folder of a run (itself, or with `files`) that has one."""
    if opened.is_folder:
        return _folder(opened) is not None
    return bool(OWN_KEYS & opened.document.keys())


def read(opened: Opened) -> list[ImportedResult]:
    """Return the result of a run; raise Invalid for a summary without numbers, and for NaN and infinity."""
    folder = _folder(opened) if opened.is_folder else None
    summary = folder.inner(SUMMARY) if folder is not None else opened
    metadata = folder.inner(METADATA) if folder is not None and folder.has(METADATA) else None
    config = folder.inner(CONFIG) if folder is not None and folder.has(CONFIG) else None
    files = tuple(each.file for each in (summary, metadata, config) if each is not None)
    findings = Findings(reader=NAME, tool=TOOL, files=files, part=opened.name if folder is not None else "")
    findings.absent("model", "The run does not state which file the model is.")
    findings.absent("data", "The run does not state which data were used.")
    findings.absent("ended_at", "The files do not state when the run ended.")
    _take_metadata(findings, metadata)
    _take_config(findings, config)
    findings.doubt(ImportStatus.INDICATIVE, TRACKED)
    _take_summary(findings, summary)
    return [findings.result()]


def _folder(opened: Opened) -> Opened | None:
    """Return the folder with the summary: this one, or `files` in it."""
    if opened.has(SUMMARY):
        return opened
    is_run = not opened.path.joinpath("files").is_symlink() and opened.path.joinpath("files").is_dir()
    inner = opened.inner("files") if is_run else None
    return inner if inner is not None and inner.has(SUMMARY) else None


def _take_metadata(findings: Findings, metadata: Opened | None) -> None:
    if metadata is None:
        findings.absent("started_at", f"There is no {METADATA}.")
        return
    stated = Fields(metadata.document, file=metadata.name)
    findings.started_at = stated.moment("startedAt")
    if findings.started_at is None:
        findings.absent("started_at", "The files state no time with a time zone.")
    for key in MACHINE:
        value = stated.plain(key)
        findings.condition(key, None if isinstance(value, dict) else value)
    findings.condition("git_commit", stated.inside("git").plain("commit"))


def _take_config(findings: Findings, config: Opened | None) -> None:
    if config is None:
        findings.absent("tool_version", f"There is no {CONFIG}.")
        return
    stated = Fields(parse_yaml(config.text, name=config.name, field="file", limits=DOCUMENT), file=config.name)
    findings.tool_version = stated.inside("_wandb", "value").text("cli_version")
    for key in stated.names:
        entry = stated.plain(key)
        if key != "_wandb" and isinstance(entry, dict):
            for name, value in _leaves(key, entry.get("value")):
                findings.condition(f"config.{name}", value)


def _take_summary(findings: Findings, summary: Opened) -> None:
    for key in ("_runtime", "_step"):
        findings.condition(key.removeprefix("_"), summary.document.get(key))
    metrics = {key: value for key, value in summary.document.items() if key not in OWN_KEYS}
    for name, value in _leaves("", metrics):
        if isinstance(value, str) and value in NOT_FINITE:
            reason = f"{printable(name)} must be a number, and neither NaN nor infinite"
            raise Invalid(f"{summary.name} cannot be read: {reason}.", field=printable(name))
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            findings.metric(f"{NAME}.{printable(name, 180)}", Decimal(value), UNIT)
        else:
            findings.absent(f"{NAME}.{printable(name, 180)}", "The summary has no number here.")


def _leaves(prefix: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the values in nested mappings, with dots between the names; media and deep nesting are one value."""
    if isinstance(value, Mapping) and "_type" not in value and depth < DEPTH_MAX:
        for key, inner in value.items():
            yield from _leaves(f"{prefix}.{key}".strip("."), inner, depth + 1)
    else:
        yield prefix, value
