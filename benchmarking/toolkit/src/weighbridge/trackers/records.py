"""Records: a result as trackers want it: one parent per benchmark, a child per variant, the JSON itself as the truth.

Trackers hold flat names and numbers. A value becomes three of them (`accuracy`, `accuracy_lower`, `accuracy_upper`);
what cannot be flattened stays in the document, which travels along unchanged.
"""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from weighbridge.core.errors import Invalid

# What MLflow allows in a name; Weights & Biases allows more.
FORBIDDEN = re.compile(r"[^\w\-. /]", re.ASCII)
MAX_NAME = 250
SUFFIX_BOUNDS = (("", "value"), ("_lower", "lower"), ("_upper", "upper"))


@dataclasses.dataclass(frozen=True)
class TrackerRecord:
    """What is logged: a name, words (`settings`, `labels`), numbers (`metrics`), the document, and a child
    per variant.
    """

    name: str
    settings: Mapping[str, str]
    metrics: Mapping[str, float]
    labels: Mapping[str, str]
    document: Mapping[str, Any]
    children: Sequence["TrackerRecord"] = ()


class Tracker(Protocol):
    """A place that keeps records."""

    def log(self, record: TrackerRecord) -> str:
        """Keep the record and its children; return where it can be seen. Raises Refused when the place refuses."""
        ...


def record_of(document: Mapping[str, Any], *, name: str) -> TrackerRecord:
    """Turn a result of the toolkit into a record; raise Invalid for a document that is none."""
    schema = document.get("schema")
    if not isinstance(schema, str) or not schema.startswith("weighbridge."):
        raise Invalid("This is no result of weighbridge: it names no schema.", code="no_result", field="file")
    children = [child_of(candidate) for candidate in document.get("candidates", ())]
    manifest = document.get("manifest") or {}
    return TrackerRecord(
        name=name,
        settings=dict(flattened(manifest.get("settings") or document.get("plan") or {})),
        metrics=dict(numbers_of(document.get("metrics") or {})),
        labels=_labels(document, manifest),
        document=document,
        children=children,
    )


def child_of(candidate: Mapping[str, Any]) -> TrackerRecord:
    """Turn one candidate of a candidates file into a record of its own."""
    metrics = dict(numbers_of(candidate.get("metrics") or {}))
    for key in ("quality_drop", "speed_up"):
        metrics |= dict(numbers_of({key: candidate[key]} if candidate.get(key) else {}))
    verdict = candidate.get("verdict") or {}
    labels = {
        "weighbridge.made_by": candidate.get("made_by"),
        "weighbridge.digest": candidate.get("digest"),
        "weighbridge.verdict": verdict.get("answer"),
    }
    return TrackerRecord(str(candidate["name"]), {}, metrics, _filled(labels), candidate)


def numbers_of(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Yield each metric's value and bounds under flat names; what is missing or not finite is left out."""
    for name, metric in metrics.items():
        for suffix, key in SUFFIX_BOUNDS:
            value = metric.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                yield clean_name(name + suffix), float(value)


def flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested settings as `scenario.threads`, written as words."""
    for key, inner in value.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(inner, Mapping):
            yield from flattened(inner, name)
        else:
            yield clean_name(name), str(inner)


def clean_name(name: str) -> str:
    """Replace what a tracker refuses in a name by an underscore, and shorten it to 250 characters."""
    return FORBIDDEN.sub("_", name)[:MAX_NAME]


def _labels(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, str]:
    verdict = document.get("verdict") or {}
    labels = {
        "weighbridge.schema": document["schema"],
        "weighbridge.scenario": document.get("scenario"),
        "weighbridge.verdict": verdict.get("status"),
        "weighbridge.reasons": ", ".join(reason["code"] for reason in verdict.get("reasons", ())) or None,
        "weighbridge.manifest": manifest.get("digest"),
        "weighbridge.model": (manifest.get("model") or {}).get("digest"),
        "weighbridge.partial": "yes" if document.get("is_partial") else None,
    }
    return _filled(labels)


def _filled(labels: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in labels.items() if value is not None}
