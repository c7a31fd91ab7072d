"""Rows of pictures: boxes of object detection, and classes of pixels."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.predictions.columns import Predictions
from weighbridge.quality.predictions.rows import Rows

BOX = 4
FORMATS = ("xyxy", "xywh")


def detection_rows(predictions: Predictions, box_format: str) -> Rows:
    """Return the boxes (left, top, right, bottom), labels and scores of each picture; raise Invalid."""
    if box_format not in FORMATS:
        raise Invalid(f"Boxes are {' or '.join(FORMATS)}, not {box_format!r}.", field="box_format")
    fields = {
        role: _lists(predictions, role, lambda value: _boxes(value, box_format))
        for role in ("boxes", "predicted_boxes")
    }
    fields |= {role: _lists(predictions, role, _labels) for role in ("labels", "predicted_labels")}
    fields["predicted_scores"] = _lists(predictions, "predicted_scores", _scores)
    for boxes, others in (("boxes", ("labels",)), ("predicted_boxes", ("predicted_labels", "predicted_scores"))):
        for other in others:
            _check_lengths(fields, boxes, other)
    kinds = {labels.dtype.kind for role in ("labels", "predicted_labels") for labels in fields[role] if len(labels)}
    if len(kinds) > 1:
        raise _refused("The labels must all be numbers, or all be names of classes.", "labels")
    return Rows(fields)


def segmentation_rows(predictions: Predictions) -> Rows:
    """Return the classes of the pixels of each picture, (pixels,); raise Invalid."""
    fields = {role: _lists(predictions, role, _classes) for role in ("truth", "prediction")}
    _check_lengths(fields, "truth", "prediction")
    return Rows(fields)


def _lists(predictions: Predictions, role: str, read: Callable[[Any], NDArray[Any]]) -> NDArray[Any]:
    values = predictions.values(role)
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        try:
            column[row] = read(value)
        except (TypeError, ValueError) as error:
            raise _refused(f"The {role.replace('_', ' ')} of row {row + 1} are {_WRONG[role]}.", role) from error
    return column


def _boxes(value: Any, box_format: str) -> NDArray[np.float64]:
    boxes = np.array([list(box) for box in value], dtype=np.float64).reshape(-1, BOX)
    if box_format == "xywh":
        boxes[:, 2:] += boxes[:, :2]
    if len(boxes) != len(value) or not np.isfinite(boxes).all() or (boxes[:, 2:] < boxes[:, :2]).any():
        raise ValueError
    return boxes


def _labels(value: Any) -> NDArray[Any]:
    labels = np.array(list(value)) if len(value) else np.array([], dtype=np.int64)
    if labels.ndim != 1 or labels.dtype.kind not in "iuU":
        raise ValueError
    return labels if labels.dtype.kind == "U" else labels.astype(np.int64)


def _scores(value: Any) -> NDArray[np.float64]:
    scores = np.array(list(value), dtype=np.float64)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError
    return scores


def _classes(value: Any) -> NDArray[np.int64]:
    pixels = np.array([list(row) if np.ndim(row) else row for row in value])
    if pixels.dtype.kind not in "biu" or not pixels.size or pixels.min() < 0:
        raise ValueError
    return pixels.ravel().astype(np.int64)


_WRONG: Mapping[str, str] = {
    **dict.fromkeys(("boxes", "predicted_boxes"), "no list of boxes of four finite numbers; see --box-format"),
    **dict.fromkeys(("labels", "predicted_labels"), "no list of class numbers or names"),
    "predicted_scores": "no list of finite numbers",
    **dict.fromkeys(("truth", "prediction"), "no class numbers from 0, one for each pixel"),
}


def _check_lengths(fields: Mapping[str, NDArray[Any]], first: str, second: str) -> None:
    for row, (one, other) in enumerate(zip(fields[first], fields[second], strict=True), 1):
        if len(one) != len(other):
            names = f"{len(one)} {first.replace('_', ' ')}, but {len(other)} {second.replace('_', ' ')}"
            raise _refused(f"Row {row} has {names}; give as many.", second)


def _refused(text: str, field: str) -> Invalid:
    return Invalid(text, code="predictions_values", field=field)
