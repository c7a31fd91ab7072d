"""Read and write the documents of jobs: JSON and YAML files, results of other jobs, and of other tools."""

import contextlib
import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.api.results import Result, Row
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import require_extra
from weighbridge.core.parsing import json_text
from weighbridge.core.parsing.limits import MEASUREMENT

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

PathLike = str | os.PathLike[str]
Source = str | os.PathLike[str] | Mapping[str, Any] | Result


def document_of(source: Source) -> Mapping[str, Any] | Path:
    """Return the document of a result or a mapping; return a path unchanged."""
    if isinstance(source, Result):
        return source.document
    return source if isinstance(source, Mapping) else Path(source)


def read_source(source: Source) -> Mapping[str, Any]:
    """Return the document of a result, a mapping or a JSON file; raise Invalid for a file that is no document."""
    document = document_of(source)
    return read_json(document) if isinstance(document, Path) else document


def is_standard_output(path: Path | None) -> bool:
    """Whether `-` was given as the file of a result."""
    return path is not None and str(path) == "-"


def is_stream(path: Path) -> bool:
    """Whether a file is standard output, a device or a pipe, beside which no other file can be written."""
    return is_standard_output(path) or (path.exists() and not path.is_file() and not path.is_dir())


def json_text_of(document: object) -> str:
    """Return a document as the text of its file."""
    return json.dumps(document, indent=1) + "\n"


def write_json(path: Path | None, document: object) -> None:
    """Write a document as JSON, to no file if `path` is None; raise Invalid if the file cannot be written."""
    if path is not None:
        write_file(path, json_text_of(document).encode(), field="json")


def write_file(path: Path, content: bytes, *, field: str) -> None:
    """Write a file in one step: a full disk or a killed process leaves the file that was there, or none.

    `-` is standard output. A device or a pipe is written to as it is. Raises Invalid, about `field`, if the file cannot
    be written.
    """
    try:
        if is_standard_output(path):
            # As text, because whoever runs a command in a program may have replaced the stream.
            sys.stdout.write(content.decode())
            return
        if is_stream(path):
            path.write_bytes(content)
            return
        path = _real(path)
        with _part_of(path) as part:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, part)
            part.replace(path)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}.", field=field) from error


def check_writable(path: Path | None, *, field: str) -> None:
    """Raise Invalid if a result cannot be written to `path` later; None and `-` are always writable."""
    if path is None or is_standard_output(path):
        return
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if not is_stream(path):
            with _part_of(_real(path)) as part:
                part.touch()
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror}. Nothing was run; name another file."
        raise Invalid(text, field=field) from error


def check_kept(path: Path | None) -> None:
    """Raise Invalid unless a file or a folder can be written that standard output cannot stand for."""
    if path is None:
        return
    if is_standard_output(path):
        raise Invalid("- is standard output, which cannot hold this; name a file or folder.", field="out")
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    reason = errno.EACCES if not os.access(there, os.W_OK) else errno.ENOTDIR
    if reason == errno.EACCES or (there != path and not there.is_dir()):
        raise Invalid(f"{path} cannot be written: {os.strerror(reason)}. Nothing was run.", field="out")


def _real(path: Path) -> Path:
    """Return the file that a link names, so that the link stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextlib.contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Yield the name of a file beside `path`, which is removed if it is still there at the end."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raise Invalid if there is none."""
    document = json_text.read_json(path, limits=MEASUREMENT)
    if not isinstance(document, dict):
        raise Invalid(f"{path} is not a result: its outermost value is not an object.", field="file")
    return document


def read_yaml(path: Path) -> object:
    """Read YAML of any form; raise Invalid if it is missing or not YAML."""
    from weighbridge.core.parsing import yaml_text

    return yaml_text.read_yaml(path, field="spec")


def import_results(files: Sequence[PathLike], *, tool: str | None = None) -> Result:
    """Read results of other tools; the reader of each file is found by its content, or named by `tool`.

    The result is a `weighbridge.imported/1` document: `results` have the metrics that a file states, each number as the
    exact text, why others are absent, and a verdict with reasons; those of a study also have its conclusions.
    `to_pandas()` has a row for each metric, its numbers as floats. Raises Invalid for a file that no reader takes, or
    that contradicts itself, and TooLarge above 64 MB.
    """
    from weighbridge.cli.tables.imported_table import imported_parts
    from weighbridge.readers.imported_result import imported_document
    from weighbridge.readers.studies.registry import read_file

    results = [result for file in files for result in read_file(Path(file), tool=tool)]
    document = imported_document(results)
    rows = tuple(_imported_row(result, metric) for result in document["results"] for metric in result["metrics"])
    return Result(document, rows, lambda: imported_parts(document))


def _imported_row(result: Mapping[str, Any], metric: Mapping[str, Any]) -> Row:
    stated = {key: metric[key] for key in ("value", "lower", "upper", "confidence")}
    numbers = {key: float(text) if text is not None else None for key, text in stated.items()}
    labels = {"tool": result["tool"], "part": result["part"], "status": result["verdict"]["status"]}
    return {**labels, "metric": metric["name"], **numbers, "unit": metric["unit"], "n": metric["n"]}


def check_chart(path: PathLike | None) -> None:
    """Raise ExtraMissing or Invalid, before anything is computed, for a chart that cannot be drawn."""
    if path is not None:
        require_extra("charts")
        from weighbridge.charts.drawing import check_suffix

        check_suffix(Path(path).suffix)


def write_chart(chart: "Chart", path: Path) -> None:
    """Write a chart as `.svg` or `.png` in one step; raise Invalid if the file cannot be written."""
    from weighbridge.charts.drawing import drawn

    write_file(path, drawn(chart, path.suffix), field="chart")
