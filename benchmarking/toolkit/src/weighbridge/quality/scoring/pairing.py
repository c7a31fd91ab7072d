"""Pairing: the rows of a baseline in the order of the rows that are compared with it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.predictions.columns import NAMED, Predictions

# What both files must agree on; a baseline may leave it out.
TRUE_ROLES = ("truth", "query", "relevance", "treatment", "scale", "boxes", "labels")


def paired(predictions: Predictions, baseline: Predictions) -> Predictions:
    """Return the baseline row by row, paired by their ids or by their order, with the truth of the predictions.

    Raises Invalid for rows that are not in both, ids that repeat, and a truth that differs.
    """
    ordered = _by_id(predictions, baseline) if predictions.has("id") else _by_order(predictions, baseline)
    columns = dict(ordered.columns)
    for role in TRUE_ROLES:
        for name in predictions.names(role):
            if name not in columns:
                columns[name] = predictions.columns[name]
            _check_equal(name, predictions.columns[name], columns[name])
    return Predictions(columns, baseline.mapped)


def _by_order(predictions: Predictions, baseline: Predictions) -> Predictions:
    if len(predictions) != len(baseline):
        text = (
            f"The baseline has {len(baseline):,} rows, but the predictions {len(predictions):,}: both must have the "
            "same rows in the same order, or a column that tells them apart (--id)."
        )
        raise _refused(text, "baseline")
    return baseline


def _by_id(predictions: Predictions, baseline: Predictions) -> Predictions:
    own, other = _ids(predictions, "predictions"), _ids(baseline, "baseline")
    only_own, only_other = own.keys() - other.keys(), other.keys() - own.keys()
    if only_own or only_other:
        parts = [
            *([f"{len(only_own):,} rows are only in the predictions ({_listed(only_own)})"] if only_own else []),
            *([f"{len(only_other):,} rows are only in the baseline ({_listed(only_other)})"] if only_other else []),
        ]
        raise _refused(f"{' and '.join(parts)}; a drop compares the same rows, so leave them out of both files.", "id")
    return baseline.take(np.array([other[name] for name in own], dtype=np.int64))


def _ids(predictions: Predictions, what: str) -> dict[Any, int]:
    if not predictions.has("id"):
        raise _refused(f"The {what} have no column for --id.", "id")
    values = predictions.names_of("id").tolist()
    places = {value: place for place, value in enumerate(values)}
    if len(places) < len(values):
        repeated = [value for place, value in enumerate(values) if places[value] != place]
        text = f"The ids of the {what} repeat ({_listed(set(repeated))}); each row needs an id of its own."
        raise _refused(text, "id")
    return places


def _listed(names: Iterable[Any]) -> str:
    listed = sorted(map(str, names))
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more


def _check_equal(name: str, own: NDArray[Any], other: NDArray[Any]) -> None:
    pairs = enumerate(zip(own.tolist(), other.tolist(), strict=True), 1)
    first = next((row for row, (one, another) in pairs if one != another), None)
    if first is not None:
        text = (
            f"{name} differs between the predictions and the baseline, first in row {first}: pair the rows with --id."
        )
        raise _refused(text, "baseline")


def _refused(text: str, field: str) -> Invalid:
    return Invalid(text, code="predictions_pairs", field=field)
