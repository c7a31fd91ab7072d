"""Read and write the documents of jobs: JSON and YAML files, or results of other jobs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.api.results import Result
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing import json_text
from weighbridge.core.parsing.limits import MEASUREMENT

Source = str | os.PathLike[str] | Mapping[str, Any] | Result


def document_of(source: Source) -> Mapping[str, Any] | Path:
    """Return the document of a result or a mapping; return a path unchanged."""
    if isinstance(source, Result):
        return source.document
    return source if isinstance(source, Mapping) else Path(source)


def write_json(path: Path | None, document: object) -> None:
    """Write a document as JSON, to no file if `path` is None; raise Invalid if the file cannot be written."""
    if path is None:
        return
    try:
        path.write_text(json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise Invalid(f"The result cannot be written to {path}: {error.strerror}.", field="json") from error


def replace_json(path: Path, document: object) -> None:
    """Write a document as JSON in one step, so that an interruption does not damage the file that was there."""
    part = path.with_name(f"{path.name}.part")
    write_json(part, document)
    part.replace(path)


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
