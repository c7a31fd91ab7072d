"""Model cards in Markdown: written from facts with their basis, and read for a lineage.

The metadata are those of https://huggingface.co/docs/hub/model-cards: `base_model`, `base_model_relation`, `datasets`.
The key `weighbridge` holds the whole lineage besides. The rest of a card is prose, which nobody reads by program.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.values import MetricValue, brief_text, interval_text
from weighbridge.core.parsing.yaml_text import parse_yaml
from weighbridge.subjects.documents.bom import BomModel
from weighbridge.subjects.lineage import Ancestor, Relation, lineage_document, parse_lineage

OWN, FENCE = "weighbridge", "---\n"
UNKNOWN = "unknown"
"""The version of an ancestor whose card names none."""
_RELATIONS = {
    "finetune": Relation.FINE_TUNED_FROM,
    "adapter": Relation.FINE_TUNED_FROM,
    "quantized": Relation.QUANTIZED_FROM,
    "merge": Relation.BASE_MODEL,
}
_WORDS = {Relation.FINE_TUNED_FROM: "finetune", Relation.QUANTIZED_FROM: "quantized"}
_HEAD = ("| Metric | Value | Unit | Basis | n | Source | Observed |", "| --- | ---: | --- | --- | ---: | --- | --- |")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&!])")


@dataclass(frozen=True)
class Permission:
    """Whether a model may run in an environment, in words, and until when."""

    environment: str
    standing: str
    until: datetime | None


def card_text(
    model: BomModel,
    *,
    values: Sequence[MetricValue],
    catalog: MetricCatalog,
    permissions: Sequence[Permission],
    at: datetime,
) -> str:
    """Return the card of a model, whose metrics have the names and the order of the catalog."""
    metrics = [*_HEAD]
    metrics += [_row(value, catalog[value.name].title) for value in values]
    made_from, granted = map(_ancestor_line, model.lineage), map(_permission_line, permissions)
    lines = [
        f"# {_plain(model.name)} {_plain(model.version)}",
        f"Task: {model.task}. Digest: `{model.digest}`.",
        "## Made from",
        "\n".join(made_from) or "Nothing is stated.",
        "## Measured and stated",
        "\n".join(metrics) if values else "No metric value is on record.",
        "## Where it may run",
        "\n".join(granted) or "No request is on record.",
        f"Written from the records of {at:%Y-%m-%d %H:%M} UTC. A declared value is a claim of its team.",
    ]
    return f"{FENCE}{_metadata(model)}{FENCE}\n" + "\n\n".join(lines) + "\n"


def lineage_of_card(text: str) -> tuple[Ancestor, ...]:
    """Return what the metadata of a card say that the model was made from.

    A name without `@version` has the version "unknown". Raises Invalid for a text without metadata, and for other
    values than names.
    """
    start, end = text.replace("\r\n", "\n").partition(FENCE)[::2]
    block, closing, _ = f"\n{end}\n".partition(f"\n{FENCE}")
    if start.strip() or not closing:
        raise Invalid("The card must begin with metadata between two lines of three hyphens.", field="card")
    if not block.strip():
        return ()
    metadata = parse_yaml(block, name="The metadata of the card", field="card")
    if not isinstance(metadata, dict):
        raise Invalid("The metadata of the card must be a mapping.", field="card")
    own = metadata.get(OWN)
    if isinstance(own, dict) and "lineage" in own:
        return parse_lineage(own["lineage"])
    relation = _RELATIONS.get(str(metadata.get("base_model_relation", "merge")), Relation.BASE_MODEL)
    named = [_entry(name, relation) for name in _names(metadata, "base_model")]
    return parse_lineage(named + [_entry(name, Relation.TRAINED_ON) for name in _names(metadata, "datasets")])


def _metadata(model: BomModel) -> str:
    """The metadata, each value as JSON, which is YAML too."""
    models = [each for each in model.lineage if each.relation is not Relation.TRAINED_ON]
    relations = {_WORDS.get(each.relation, "") for each in models}
    found: dict[str, Any] = {
        "base_model": [str(each) for each in models],
        "base_model_relation": relations.pop() if len(relations) == 1 else "",
        "datasets": [str(each) for each in model.lineage if each.relation is Relation.TRAINED_ON],
        OWN: {"digest": model.digest, "task": model.task, "lineage": lineage_document(model.lineage)},
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in found.items() if value)


def _ancestor_line(ancestor: Ancestor) -> str:
    license_part = f" ({_plain(ancestor.license)})" if ancestor.license else ""
    return f"- {ancestor.relation.value.replace('_', ' ')}: {_plain(str(ancestor))}{license_part}"


def _permission_line(permission: Permission) -> str:
    until = f", until {permission.until:%Y-%m-%d}" if permission.until else ""
    return f"- {permission.environment}: {permission.standing}{until}"


def _row(value: MetricValue, title: str) -> str:
    shown = f"{brief_text(value.value)}{interval_text(value)}"
    n = "" if value.n is None else f"{value.n:,}"
    cells = (title, shown, value.unit, value.basis.value, n, value.source, f"{value.observed_at:%Y-%m-%d}")
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """The text in one line of Markdown, without a meaning to it."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _names(metadata: Mapping[str, Any], key: str) -> Iterable[str]:
    stated = metadata.get(key) or []
    names = [stated] if isinstance(stated, str) else stated
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid(f"{key} must be a name, or a list of names.", field=f"card.{key}")
    return names


def _entry(name: str, relation: Relation) -> dict[str, str]:
    if name.startswith("sha256:"):
        return {"relation": relation.value, "digest": name}
    base, at, version = name.rpartition("@")
    return {"relation": relation.value, "name": base if at else name, "version": version if at else UNKNOWN}
