"""Metrics of object detection as COCO defines them: average precision over classes and overlaps, by pycocotools."""

import contextlib
import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.extras import import_extra
from weighbridge.quality.metrics.prepared import Prepared, one_by_one
from weighbridge.quality.metrics.registry import Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
# COCO's limit of boxes in a picture, and a range that holds boxes of any size.
MAX_BOXES, ANY_SIZE = 100, [0, 1e10]


@register("map", task=Task.DETECTION)
def mean_precision(rows: Rows) -> Prepared:
    """Return average precision, averaged over classes and over the overlaps 0.5, 0.55 … 0.95."""
    return _mean_precision(rows, OVERLAPS)


@register("map_50", task=Task.DETECTION)
def mean_precision_50(rows: Rows) -> Prepared:
    """Return average precision at an overlap of 0.5, averaged over classes."""
    return _mean_precision(rows, OVERLAPS[:1])


@register("map_75", task=Task.DETECTION)
def mean_precision_75(rows: Rows) -> Prepared:
    """Return average precision at an overlap of 0.75, averaged over classes."""
    return _mean_precision(rows, OVERLAPS[5:6])


@dataclasses.dataclass(frozen=True)
class _Matches:
    """The boxes of a class by falling score: their pictures, whether each is right at each overlap, and true boxes."""

    pictures: NDArray[np.int64]
    is_right: NDArray[np.bool_]
    true_boxes: NDArray[np.float64]

    def precision(self, weights: NDArray[np.float64]) -> float:
        """Return average precision at 101 recalls, averaged over overlaps; NaN without a true box."""
        weight, boxes = weights[self.pictures], float(weights @ self.true_boxes)
        right = np.cumsum(self.is_right * weight, axis=1)
        seen = np.cumsum(weight)
        precision = np.divide(right, seen, out=np.zeros_like(right), where=seen > 0)
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        return float(np.mean([_at_recalls(*pair) for pair in zip(right / boxes, precision, strict=True)]))


def _at_recalls(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    places = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean())


def _mean_precision(rows: Rows, overlaps: NDArray[np.float64]) -> Prepared:
    classes = list(_matches(rows, overlaps))
    if not classes:
        raise Undefined("There is no true box, so that no box can be right.")

    def mean(weights: NDArray[np.float64]) -> float:
        values = np.array([each.precision(weights) for each in classes if weights @ each.true_boxes > 0])
        return float(values.mean()) if len(values) else np.nan

    return one_by_one(mean)


def _matches(rows: Rows, overlaps: NDArray[np.float64]) -> Iterator[_Matches]:
    """Yield the matches of each class that has a true box."""
    names = np.unique(np.concatenate([*rows["labels"], *rows["predicted_labels"]]))
    evaluated = _evaluated(rows, names, overlaps)
    for place in range(len(names)):
        found = evaluated[place * len(rows) : (place + 1) * len(rows)]
        true_boxes = np.array([len(each["gtIds"]) if each else 0 for each in found], dtype=np.float64)
        if true_boxes.any():
            some = [(picture, each) for picture, each in enumerate(found) if each]
            scores = np.concatenate([each["dtScores"] for _, each in some])
            order = np.argsort(-scores, kind="stable")
            pictures = np.repeat([picture for picture, _ in some], [len(each["dtScores"]) for _, each in some])
            is_right = np.concatenate([each["dtMatches"] > 0 for _, each in some], axis=1)
            yield _Matches(pictures[order].astype(np.int64), is_right[:, order], true_boxes)


def _evaluated(rows: Rows, names: NDArray[Any], overlaps: NDArray[np.float64]) -> list[Any]:
    """Return what pycocotools finds for each class and picture: matches of its boxes at each overlap."""
    places = {name: place for place, name in enumerate(names.tolist(), 1)}
    real = _boxes(rows["boxes"], rows["labels"], places)
    own = _boxes(rows["predicted_boxes"], rows["predicted_labels"], places)
    for box, score in zip(own, np.concatenate(rows["predicted_scores"]), strict=True):
        box["score"] = float(score)
    # pycocotools reports its progress on standard output, which may be the result of the command.
    with contextlib.redirect_stdout(io.StringIO()):
        job = import_extra("pycocotools.cocoeval").COCOeval(
            _index(real, len(rows), places), _index(own, len(rows), places), "bbox"
        )
        job.params.iouThrs, job.params.areaRng, job.params.areaRngLbl = overlaps, [ANY_SIZE], ["all"]
        job.params.maxDets = [MAX_BOXES]
        job.evaluate()
    return list(job.evalImgs)


def _boxes(boxes: NDArray[Any], labels: NDArray[Any], places: dict[Any, int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for picture, (its_boxes, its_labels) in enumerate(zip(boxes, labels, strict=True)):
        for (left, top, right, bottom), label in zip(its_boxes.tolist(), its_labels.tolist(), strict=True):
            width, height = right - left, bottom - top
            box = {"bbox": [left, top, width, height], "area": width * height, "iscrowd": 0, "ignore": 0}
            found.append({**box, "id": len(found) + 1, "image_id": picture, "category_id": places[label]})
    return found


def _index(boxes: list[dict[str, Any]], pictures: int, places: dict[Any, int]) -> Any:
    index = import_extra("pycocotools.coco").COCO()
    index.dataset = {
        "info": {},
        "images": [{"id": picture} for picture in range(pictures)],
        "categories": [{"id": place} for place in places.values()],
        "annotations": boxes,
    }
    index.createIndex()
    return index
