"""The draft of a review request from a registered version: digest, lineage and metrics, each as a claim of MLflow."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from weighbridge.client.integrations.mlflow.rest import RegistryEntry
from weighbridge.client.request_file import RequestFile, read_request_file
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.parsing.yaml_text import read_yaml
from weighbridge.subjects.lineage import Relation

LINEAGE_TAGS = (*(relation.value for relation in Relation), "mlflow.source.git.commit", "mlflow.source.name")
LINEAGE_CHARS_MAX = 2_000


@dataclasses.dataclass(frozen=True)
class WantedMetric:
    """A metric of the catalog and the name under which MLflow has it."""

    name: str
    key: str
    is_required: bool


def wanted_metrics(texts: Sequence[str]) -> tuple[WantedMetric, ...]:
    """Return the metrics of `METRIC=KEY`, and every metric whose own name MLflow may have; raise Invalid."""
    named = {}
    for text in texts:
        name, equals, key = text.partition("=")
        if not (name and equals and key):
            raise Invalid(f"{text!r} is not METRIC=KEY, like latency_p95_ms=p95.", field="metric")
        named[name] = WantedMetric(name, key, is_required=True)
    return tuple(named.get(name) or WantedMetric(name, name, is_required=False) for name in {**STANDARD, **named})


def request_of_entry(
    path: Path, entry: RegistryEntry, *, digest: str, uri: str, wanted: Sequence[WantedMetric]
) -> RequestFile:
    """Return the request of a YAML file for a registered version, as a draft. Raises Invalid.

    Metric values that the file states itself are kept; those of MLflow are added as declared, with the run as source.
    """
    document = read_yaml(path, code="file_unreadable", missing="file_unreadable")
    model = document.get("model") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(model, dict):
        raise Invalid(f"{path} must be a review request with a mapping `model`.", field="model")
    own = {key: value for key, value in model.items() if key not in {"file", "manifest", "subject"}}
    document |= {"model": {**own, "version": entry.version, "uri": uri, "sha256": digest}, "submit": False}
    stated = document.get("metric_values") or []
    if not isinstance(stated, list):
        raise Invalid("metric_values must be a list.", field="metric_values")
    names = {value.get("name") for value in stated if isinstance(value, dict)}
    document["metric_values"] = [*stated, *(row for row in _values(entry, wanted) if row["name"] not in names)]
    document["business_case"] = _with_lineage(str(document.get("business_case") or ""), entry)
    return read_request_file(path, document=document)


def uri_of(server: str, entry: RegistryEntry, *, path: str) -> str:
    """Return the address of the file in the registry, which names the version."""
    place = urlsplit(server).netloc or "registry"
    return f"mlflow://{place.rpartition('@')[2]}/models/{quote(entry.name)}/{entry.version}/{quote(path)}"


def _values(entry: RegistryEntry, wanted: Sequence[WantedMetric]) -> list[dict[str, Any]]:
    lacking = [each for each in wanted if each.is_required and each.key not in entry.metrics]
    if lacking:
        known = ", ".join(sorted(entry.metrics)[:20]) or "none"
        raise Invalid(f"MLflow has no value {lacking[0].key!r} of this version; it has: {known}.", field="metric")
    source = f"MLflow, run {entry.run_id} of version {entry.version} of {entry.name}"[:300]
    return [
        {"name": each.name, "value": _number(entry.metrics[each.key]), "basis": "declared", "source": source}
        for each in wanted
        if each.key in entry.metrics
    ]


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _with_lineage(text: str, entry: RegistryEntry) -> str:
    """Return the business case with what MLflow states of the lineage; a claim, and named as one."""
    stated = [f"{name}: {entry.tags[name]}" for name in LINEAGE_TAGS if entry.tags.get(name)]
    stated += [f"{Relation.TRAINED_ON.value}: {name}" for name in entry.datasets]
    if not stated:
        return text
    whole = f"MLflow states for version {entry.version} of {entry.name}: {'; '.join(stated)}."
    return f"{text}\n\n{whole[:LINEAGE_CHARS_MAX]}"
