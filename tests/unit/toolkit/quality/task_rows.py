"""Rows of every task, drawn at random, for properties that all metrics have."""

import numpy as np

from weighbridge.quality.metrics.registry import Task, find_metric, registered_tasks
from weighbridge.quality.predictions.columns import Predictions
from weighbridge.quality.predictions.reading import column_of
from weighbridge.quality.predictions.rows import Rows
from weighbridge.quality.predictions.task_rows import ReadingSettings, rows_of

WORDS = ("the cat sat", "on a mat", "a dog", "ran home", "the end")


def _classes(rng, n, classes=2):
    truth = np.append(np.arange(classes), rng.integers(0, classes, n - classes))
    scores = np.exp(rng.normal(size=(n, classes)) + 1.2 * np.eye(classes)[truth])
    # Each class is answered at least once, without which precision has no value.
    scores[np.arange(classes), np.arange(classes)] += 10
    return {"truth": truth, "scores": np.round(scores / scores.sum(axis=1, keepdims=True), 3)}


def _labels(rng, n):
    truth = (rng.random((n, 3)) < 0.4).astype(np.int64)
    truth[0], truth[1] = 1, 0
    return {"truth": truth, "scores": np.round(np.clip(0.4 * truth + 0.6 * rng.random((n, 3)), 0, 1), 2)}


def _numbers(rng, n):
    truth = 5 + rng.normal(size=n)
    return {"truth": truth, "prediction": truth + rng.normal(0.1, 0.5, n), "scale": rng.uniform(1, 2, n)}


def _ranking(rng, n):
    relevance = rng.integers(0, 3, n)
    relevance[::4] = 2
    queries = np.arange(n) // 4
    return {"query": queries, "relevance": relevance, "score": np.round(rng.normal(size=n) + 0.5 * relevance, 1)}


def _boxes(rng, n):
    columns = {name: [] for name in ("boxes", "labels", "predicted_boxes", "predicted_labels", "predicted_scores")}
    for row in range(n):
        corners = rng.uniform(0, 50, (1 if row == 0 else rng.integers(0, 3), 2))
        boxes = np.column_stack([corners, corners + rng.uniform(10, 20, corners.shape)])
        labels = rng.integers(0, 2, len(boxes))
        found = np.concatenate([boxes + rng.normal(0, 1, boxes.shape), [[60.0, 60, 70, 70]]])
        columns["boxes"].append(boxes.tolist())
        columns["labels"].append(labels.tolist())
        columns["predicted_boxes"].append(found.tolist())
        columns["predicted_labels"].append([*labels.tolist(), int(rng.integers(0, 3))])
        columns["predicted_scores"].append(np.round(rng.random(len(found)), 6).tolist())
    return columns


def _pixels(rng, n):
    truth = rng.integers(0, 3, (n, 4, 4))
    return {"truth": truth, "prediction": np.where(rng.random((n, 4, 4)) < 0.7, truth, rng.integers(0, 3, (n, 4, 4)))}


def _texts(rng, n):
    draw = lambda: [" ".join(rng.choice(WORDS, 2)) for _ in range(n)]  # noqa: E731 -- used twice, here alone
    return {"truth": draw(), "prediction": draw()}


def _uplift(rng, n):
    treatment = np.append([0, 1], rng.integers(0, 2, n - 2))
    return {"treatment": treatment, "truth": rng.integers(0, 2, n), "score": np.round(rng.normal(size=n), 1)}


COLUMNS = {
    Task.CLASSES: _classes,
    Task.LABELS: _labels,
    Task.NUMBERS: _numbers,
    Task.RANKING: _ranking,
    Task.DETECTION: _boxes,
    Task.SEGMENTATION: _pixels,
    Task.TEXT: _texts,
    Task.UPLIFT: _uplift,
}
# Names that also exist without a parameter.
WITH_PARAMETER = {"recall@k": "recall@2", "miou@k": "miou@2"}
METRICS = [find_metric(WITH_PARAMETER.get(name, name.removesuffix("@k"))) for name in registered_tasks()]


def columns_of(task, n, seed):
    """Columns of a task, as a person gives them."""
    return COLUMNS[task](np.random.default_rng(seed), n)


def rows_from(columns, task, **settings) -> Rows:
    """Return the checked rows of columns."""
    found = Predictions({name: column_of(values) for name, values in columns.items()})
    return rows_of(task, found, ReadingSettings(**settings))


def drawn_rows(task, n, seed) -> Rows:
    """Return checked rows of a task."""
    return rows_from(columns_of(task, n, seed), task)
