"""The verdict on the quality values of a run: doubts about the evaluation data, and what they do to the result."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.core.metrics.standard import is_quality_metric
from weighbridge.measure.verdict import Status, ValidityReason, Verdict
from weighbridge.quality.checks import DataDoubt, is_perfect

OWN_LABELS = DataDoubt(
    "quality.own_labels",
    True,
    "The labels are the model's own answers on every row, and nobody but the requester vouches for them: the quality "
    "values are void. Measure on a governed evaluation set.",
)


def with_doubts(document: Mapping[str, Any], doubts: Sequence[DataDoubt]) -> dict[str, Any]:
    """Return a `weighbridge.result/1` document with a verdict on its quality values; a void value is taken out.

    The reasons join those of the run. They make a valid run indicative, never invalid: speed and memory do not depend
    on the labels.
    """
    reasons = tuple(ValidityReason(doubt.code, _status(doubt), doubt.message) for doubt in doubts)
    quality = Verdict((*_earlier(document), *reasons))
    result = {**document, "quality_verdict": quality.as_document()}
    if not reasons:
        return result
    run = document["verdict"]
    status = run["status"] if run["status"] != Status.VALID else Status.INDICATIVE.value
    result["verdict"] = {"status": status, "reasons": [*run["reasons"], *to_document(reasons)]}
    return _without_values(result) if quality.status is Status.INVALID else result


def with_own_labels_void(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result without quality values if its labels are the model's answers on every row; else as it is."""
    accuracy = document["metrics"].get("accuracy")
    if accuracy is None or not is_perfect(accuracy["value"], accuracy.get("n") or 0):
        return dict(document)
    return with_doubts(document, (OWN_LABELS,))


def _earlier(document: Mapping[str, Any]) -> Iterator[ValidityReason]:
    for reason in (document.get("quality_verdict") or {"reasons": ()})["reasons"]:
        yield ValidityReason(reason["code"], Status(reason["status"]), reason["message"])


def _without_values(document: dict[str, Any]) -> dict[str, Any]:
    why = "; ".join(
        reason["message"] for reason in document["quality_verdict"]["reasons"] if reason["status"] == Status.INVALID
    )
    void = [name for name in document["metrics"] if is_quality_metric(name)]
    metrics = {name: entry for name, entry in document["metrics"].items() if name not in void}
    missing = [*document.get("missing", ()), *({"metric": name, "message": f"Void: {why}"} for name in void)]
    return document | {"metrics": metrics, "missing": missing, "confusion": None, "per_class": None}


def _status(doubt: DataDoubt) -> Status:
    return Status.INVALID if doubt.is_void else Status.INDICATIVE
