"""Rows of a data set as JSON, for systems that take a row at a time and do not declare their inputs."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import DataSet, read_data_set
from weighbridge.measure.inputs.spec import TEXT, InputSpec
from weighbridge.measure.loops.latency import Feed
from weighbridge.systems.engine_errors import ModelFailed

PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
ANSWER = "answer"


def specs_of(data: DataSet) -> tuple[InputSpec, ...]:
    """Return the arrays of a data set as inputs of one row each."""
    return tuple(_spec(name, column) for name, column in data.columns.items())


def _spec(name: str, column: NDArray[Any] | Ragged) -> InputSpec:
    dtype = TEXT if column.dtype.kind == "U" else str(column.dtype)
    if isinstance(column, Ragged):
        return InputSpec(name, dtype, (1, *(None for _ in range(column.shapes.shape[1]))))
    return InputSpec(name, dtype, (1, *column.shape[1:]))


def specs_of_file(options: Mapping[str, Any], *, needs: str) -> tuple[InputSpec, ...]:
    """Return the inputs of the data file of the option `data`; raise Invalid without one."""
    if not options.get("data"):
        raise Invalid(f"{needs} does not declare its inputs; give --data with the rows to send.", field="data")
    return specs_of(read_data_set(Path(options["data"])))


def row_of(feed: Feed) -> dict[str, Any]:
    """Return the first row of each input in types of JSON."""
    return {name: array[:1].tolist()[0] for name, array in feed.items()}


def json_of(feed: Feed) -> str:
    """Return the row as a JSON object, the names of inputs as its keys."""
    return json.dumps(row_of(feed), ensure_ascii=False)


def filled(template: str, feed: Feed) -> str:
    """Return a template with each `{{ name }}` replaced by the JSON of that input; raise Invalid for another name."""
    row = row_of(feed)

    def value(match: re.Match[str]) -> str:
        if match[1] not in row:
            text = f"The template has {{{{ {match[1]} }}}}, but the rows have only {', '.join(row)}."
            raise Invalid(text, code="template_name", field="body")
        return json.dumps(row[match[1]], ensure_ascii=False)

    return PLACEHOLDER.sub(value, template)


def at_path(answer: Any, path: str) -> Any:
    """Return the part of an answer at a dotted path like `predictions.0`; raise ModelFailed if it has none."""
    part = answer
    for key in filter(None, path.split(".")):
        try:
            part = part[int(key)] if isinstance(part, list) else part[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise ModelFailed(f"The answer has nothing at {path!r}.", code="model_failed") from error
    return part


def outputs_of(answer: Any) -> dict[str, NDArray[Any]]:
    """Return the answer for one row as arrays with one row: by name for an object, otherwise as `answer`.

    Raises ModelFailed for what is no number, text, or list of them.
    """
    named: Sequence[tuple[str, Any]] = list(answer.items()) if isinstance(answer, dict) else [(ANSWER, answer)]
    return {str(name): _array(value) for name, value in named}


def _array(value: Any) -> NDArray[Any]:
    try:
        array = np.array([value])
    except ValueError as error:
        raise ModelFailed("The answer has lists of different lengths.", code="model_failed") from error
    if array.dtype.kind == "U" or (array.dtype.kind in "biuf" and not _is_odd(value)):
        return array.astype(object) if array.dtype.kind == "U" else array
    raise ModelFailed(f"The answer {str(value)[:80]!r} is no number, text, or list of them.", code="model_failed")


def _is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
