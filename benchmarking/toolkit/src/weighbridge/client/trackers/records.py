"""Records: a result in the format of trackers: one parent per benchmark, a child per variant, and the JSON document.

Trackers have flat names and numbers. A value becomes three numbers (`accuracy`, `accuracy_lower`, `accuracy_upper`);
the unchanged document has everything that cannot be flattened.
"""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from weighbridge.core.errors import Invalid

# The characters that MLflow allows in a name; Weights & Biases allows more.
FORBIDDEN = re.compile(r"[^\w\-. /]", re.ASCII)
MAX_NAME = 250
SUFFIX_BOUNDS = (("", "value"), ("_lower", "lower"), ("_upper", "upper"))


@dataclasses.dataclass(frozen=True)
class TrackerRecord:
    """A record to log: name, text (`settings`, `labels`), numbers (`metrics`), document, and a child per variant."""

    name: str
    settings: Mapping[str, str]
    metrics: Mapping[str, float]
    labels: Mapping[str, str]
    document: Mapping[str, Any]
    children: Sequence["TrackerRecord"] = ()


class Tracker(Protocol):
    """A service that stores records."""

    def log(self, record: TrackerRecord) -> str:
        """Store the record and its children; return their address. Raises Refused if the tracker refuses."""
        ...


def record_of(document: Mapping[str, Any], *, name: str) -> TrackerRecord:
    """Convert a result of the toolkit to a record; raise Invalid for other documents."""
    schema = document.get("schema")
    if not isinstance(schema, str) or not schema.startswith("weighbridge."):
        raise Invalid("This is not a weighbridge result: it has no schema.", code="no_result", field="file")
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
    """Convert one candidate of a candidates file to a record."""
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
    """Yield each metric's value and bounds under flat names, without missing and infinite values."""
    for name, metric in metrics.items():
        for suffix, key in SUFFIX_BOUNDS:
            value = metric.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                yield clean_name(name + suffix), float(value)


def flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested settings as `scenario.threads`, with text values."""
    for key, inner in value.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(inner, Mapping):
            yield from flattened(inner, name)
        else:
            yield clean_name(name), str(inner)


def clean_name(name: str) -> str:
    """Replace characters that a tracker refuses by an underscore, and shorten the name to 250 characters."""
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
