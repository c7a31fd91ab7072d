"""Bills of materials of models as CycloneDX 1.6: written from facts with their basis, and read for a lineage.

Format: https://cyclonedx.org/docs/1.6/json/. What has no field there is a property whose name begins with
`weighbridge:`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import MetricValue, number_text
from weighbridge.subjects.lineage import Ancestor, Relation, parse_lineage
from weighbridge.subjects.subject import hexadecimal

FORMAT, SPEC = "CycloneDX", "1.6"
MODEL, DATA = "machine-learning-model", "data"
RELATION, BASIS, PART = "weighbridge:relation", "weighbridge:basis:", "weighbridge:part"
_ALGORITHM = "SHA-256"


@dataclass(frozen=True)
class BomModel:
    """The model that a bill is about, with its task, its lineage, and the digests that it consists of."""

    name: str
    version: str
    digest: str
    task: str
    lineage: tuple[Ancestor, ...] = ()
    parts: tuple[str, ...] = ()


def bom_document(model: BomModel, *, values: Sequence[MetricValue], at: datetime) -> dict[str, Any]:
    """Return the bill of a model with metric values, each with its interval, basis, unit, sample size and source."""
    ancestors = [_ancestor(each) for each in model.lineage]
    data = [each for each in ancestors if each["type"] == DATA]
    parts = [_part(digest) for digest in model.parts]
    component = _component(MODEL, model.name, model.version, model.digest) | {
        "bom-ref": model.digest,
        "pedigree": {"ancestors": [each for each in ancestors if each["type"] == MODEL]},
        "modelCard": {
            "modelParameters": {"task": model.task, "datasets": [{"ref": each["bom-ref"]} for each in data]},
            "quantitativeAnalysis": {"performanceMetrics": [_metric(value) for value in values]},
            "properties": [_basis(value) for value in values],
        },
    }
    return {
        "bomFormat": FORMAT,
        "specVersion": SPEC,
        "version": 1,
        "metadata": {"timestamp": at.isoformat(), "component": component},
        "components": [*data, *parts],
        "dependencies": [{"ref": model.digest, "dependsOn": [each["bom-ref"] for each in (*data, *parts)]}],
    }


def lineage_of_bom(document: object) -> tuple[Ancestor, ...]:
    """Return what the model of a bill was made from: its ancestors, and the data that its model card names.

    An ancestor without a property `weighbridge:relation` is a base model. Raises Invalid for what is no bill of a
    model, and for an ancestor that has neither a SHA-256 nor a name with a version.
    """
    bill = _mapping(document, "bom")
    if bill.get("bomFormat") != FORMAT or not str(bill.get("specVersion", "")).startswith("1."):
        raise Invalid(f"The bill must be JSON of the format {FORMAT} 1.x.", field="bom.bomFormat")
    component = _mapping(_mapping(bill.get("metadata"), "bom.metadata").get("component"), "bom.metadata.component")
    parents = _items(_mapping(component.get("pedigree", {}), "bom.pedigree").get("ancestors", []), "bom.ancestors")
    stated = [_stated(each, Relation.BASE_MODEL) for each in parents]
    stated += [_stated(each, Relation.TRAINED_ON) for each in _data_of(component, bill)]
    return parse_lineage([each for number, each in enumerate(stated) if each not in stated[:number]])


def _component(kind: str, name: str, version: str, digest: str) -> dict[str, Any]:
    hashes = {"hashes": [{"alg": _ALGORITHM, "content": hexadecimal(digest)}]} if digest else {}
    return {"type": kind, "name": name} | ({"version": version} if version else {}) | hashes


def _ancestor(ancestor: Ancestor) -> dict[str, Any]:
    kind = DATA if ancestor.relation is Relation.TRAINED_ON else MODEL
    license_part = {"licenses": [{"license": {"name": ancestor.license}}]} if ancestor.license else {}
    return {
        **_component(kind, ancestor.name or ancestor.digest, ancestor.version, ancestor.digest),
        "bom-ref": f"{ancestor.relation.value}:{ancestor}",
        **license_part,
        "properties": [{"name": RELATION, "value": ancestor.relation.value}],
    }


def _part(digest: str) -> dict[str, Any]:
    properties = [{"name": PART, "value": "true"}]
    return _component("file", digest, "", digest) | {"bom-ref": f"part:{digest}", "properties": properties}


def _metric(value: MetricValue) -> dict[str, Any]:
    bounds = {"lowerBound": value.lower, "upperBound": value.upper}
    interval = {name: number_text(bound) for name, bound in bounds.items() if bound is not None}
    shown = {"type": value.name, "value": f"{number_text(value.value)} {value.unit}"}
    return shown | ({"confidenceInterval": interval} if interval else {})


def _basis(value: MetricValue) -> dict[str, str]:
    sample = f"; n = {value.n}" if value.n is not None else ""
    text = f"{value.basis}{sample}; {value.source or 'no source'}; {value.observed_at.isoformat()}"
    return {"name": f"{BASIS}{value.name}", "value": text}


def _data_of(component: Mapping[str, Any], bill: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The components that the model card names as data sets."""
    card = _mapping(component.get("modelCard", {}), "bom.modelCard")
    parameters = _mapping(card.get("modelParameters", {}), "bom.modelParameters")
    refs = [each.get("ref") for each in _items(parameters.get("datasets", []), "bom.datasets")]
    components = _items(bill.get("components", []), "bom.components")
    return [each for each in components if each.get("bom-ref") is not None and each.get("bom-ref") in refs]


def _stated(component: Mapping[str, Any], relation: Relation) -> dict[str, Any]:
    """The entry of a lineage for a component of the bill."""
    properties = _items(component.get("properties", []), "bom.properties")
    named = [each.get("value") for each in properties if each.get("name") == RELATION]
    hashes = _items(component.get("hashes", []), "bom.hashes")
    digests = [each.get("content") for each in hashes if each.get("alg") == _ALGORITHM]
    what: dict[str, Any] = {"name": component.get("name", ""), "version": component.get("version", "")}
    if digests:
        what = {"digest": f"{DIGEST_PREFIX}{digests[0]}"}
    return {"relation": named[0] if named else relation.value, **what, **_license_of(component)}


def _license_of(component: Mapping[str, Any]) -> dict[str, Any]:
    """The license of a component: an SPDX expression, or the id or name of its only license."""
    for entry in _items(component.get("licenses", []), "bom.licenses"):
        own = _mapping(entry.get("license", {}), "bom.license")
        text = entry.get("expression") or own.get("id") or own.get("name")
        return {"license": text} if text else {}
    return {}


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{path} must be an object.", field=path)
    return value


def _items(value: object, path: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise Invalid(f"{path} must be a list of objects.", field=path)
    return value
