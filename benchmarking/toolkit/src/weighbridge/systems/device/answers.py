"""Answers of a model in JSON: those of a device, and those of ONNX Runtime here, to compare them."""

import base64
import binascii
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import TEXT
from weighbridge.systems.device.job import TYPES, little_endian, type_of

MAX_ANSWERS, MAX_ANSWER_BYTES = 8, 4_000_000
MAX_TEXT_CHARS = 1_000
# float16 has steps of 0.1 %, and kernels round differently.
TOLERANCES = {"float16": 1e-2}
TOLERANCE = 1e-3
SMALLEST = 1e-12


@dataclasses.dataclass(frozen=True)
class Answer:
    """One output for one query: type, shape, and the first values in row order, in base64 or as texts."""

    type: str
    dims: tuple[int, ...]
    data: str = ""
    texts: tuple[str, ...] = ()

    def values(self, most: int) -> NDArray[Any]:
        """Return the first values, at most `most`, with one dimension; raise Invalid if their number is another."""
        count = min(math.prod(self.dims), most)
        if self.type == TEXT:
            values = np.array(self.texts, dtype=object)
        elif self.type in TYPES:
            values = _decoded(self.data, self.type)
        else:
            raise Invalid(f"An answer has the type {self.type[:40]!r}, which no model has.", field="answers")
        if min(self.dims, default=0) < 0 or len(values) != count:
            raise Invalid("An answer has another number of values than its shape says.", field="answers")
        return values


def _decoded(data: str, dtype: str) -> NDArray[Any]:
    try:
        return np.frombuffer(base64.b64decode(data, validate=True), dtype=np.dtype(dtype).newbyteorder("<"))
    except (binascii.Error, ValueError) as error:
        raise Invalid("The values of an answer cannot be read.", field="answers") from error


def answer_of(array: Any, most: int) -> Answer:
    """Return an output with its first values, at most `most`; raise Invalid for an output that is no tensor."""
    if not isinstance(array, np.ndarray):
        text = "An output of the model is no tensor, which no page can read; export the model without it (ZipMap)."
        raise Invalid(text, code="model_outputs", field="model")
    values, kind = array.ravel()[:most], type_of(array)
    if kind == TEXT:
        return Answer(kind, array.shape, texts=tuple(str(text)[:MAX_TEXT_CHARS] for text in values))
    return Answer(kind, array.shape, data=base64.b64encode(little_endian(values)).decode())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Agreement:
    """How the answers of a device differ from those of ONNX Runtime here.

    A value agrees if it differs by at most `tolerance` times the largest value of its output over all queries;
    integers, booleans and texts must be equal. The relative difference is that to this largest value. `top_1` is the
    share of the `rows` with scores in which the same class has the largest one. `disagreeing` counts values, infinite
    or NaN on one side included.
    """

    queries: int
    values: int
    disagreeing: int
    max_absolute_difference: float
    max_relative_difference: float
    tolerance: float
    top_1: float | None
    rows: int

    @property
    def is_within(self) -> bool:
        """Whether all values agree."""
        return self.disagreeing == 0


def compare_answers(
    reported: Sequence[Mapping[str, Answer]],
    reference: Sequence[Mapping[str, Answer]],
    *,
    most: int,
    tolerance: float | None,
) -> Agreement:
    """Compare the answers of the same queries; `most` is the number of values that were sent of each output.

    Raises Invalid for answers of another number of queries, of other outputs, or of another type or shape.
    """
    if [sorted(answer) for answer in reported] != [sorted(answer) for answer in reference]:
        raise Invalid("The answers are those of other queries or outputs.", field="answers")
    pairs = [(mine[name], theirs[name]) for mine, theirs in zip(reported, reference, strict=True) for name in theirs]
    if any((found.type, found.dims) != (expected.type, expected.dims) for found, expected in pairs):
        raise Invalid("An answer has another type or shape than the model gives here.", field="answers")
    differences = [
        _difference(
            np.concatenate([answer[name].values(most) for answer in reported]),
            np.concatenate([answer[name].values(most) for answer in reference]),
            TOLERANCES.get(expected.type, TOLERANCE) if tolerance is None else tolerance,
        )
        for name, expected in reference[0].items()
    ]
    tops = [top for found, expected in pairs for top in _tops(found, expected, most)]
    return Agreement(
        queries=len(reference),
        values=sum(each.values for each in differences),
        disagreeing=sum(each.disagreeing for each in differences),
        max_absolute_difference=max((each.absolute for each in differences), default=0.0),
        max_relative_difference=max((each.relative for each in differences), default=0.0),
        tolerance=max((each.tolerance for each in differences), default=TOLERANCE),
        top_1=sum(tops) / len(tops) if tops else None,
        rows=len(tops),
    )


@dataclasses.dataclass(frozen=True)
class _Difference:
    """How the values of one output differ; `absolute` and `relative` are those of finite numbers."""

    values: int
    tolerance: float
    disagreeing: int
    absolute: float = 0.0
    relative: float = 0.0


def _difference(found: NDArray[Any], expected: NDArray[Any], tolerance: float) -> _Difference:
    count = len(expected)
    if expected.dtype.kind != "f":
        return _Difference(count, tolerance, int(np.count_nonzero(found != expected)))
    mine, theirs = found.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(mine) & np.isfinite(theirs)
    same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
    strange = int(np.count_nonzero(~finite & ~same))
    gaps = np.abs(mine[finite] - theirs[finite])
    # The smallest difference that counts keeps an output that is zero everywhere from disagreeing by rounding.
    largest, gap = np.abs(theirs[finite]).max(initial=SMALLEST / TOLERANCE), float(gaps.max(initial=0))
    far = int(np.count_nonzero(gaps > max(tolerance * largest, SMALLEST)))
    return _Difference(count, tolerance, strange + far, gap, float(gap / largest))


def _tops(found: Answer, expected: Answer, most: int) -> list[bool]:
    """Return for each row of scores whether the same class has the largest one."""
    dims = expected.dims
    is_scores = len(dims) == 2 and dims[0] > 0 and dims[1] > 1 and expected.type.startswith("float")
    if not is_scores or math.prod(dims) > most:
        return []
    mine, theirs = (answer.values(most).reshape(dims).argmax(axis=1) for answer in (found, expected))
    return list((mine == theirs).tolist())
