"""The request file: a model review request as YAML, validated before anything is sent.

```yaml
title: Visual search, autumn model
purpose: Find products from a photograph
environment: prod
business_case: Raises conversion of the search page by 1.5 %.
model:
  {team: search, slug: visual-search, name: Visual search, version: 1.0.0, tier: T1, task: classification,
   owner: ada, file: model.onnx}
rivals: ["sha256:…"]
dataset: {name: held-out photographs, license: internal, file: test.npz}
metric_values:
  - {name: training_gpu_hours, value: 320, basis: declared, source: training log}
submit: true
```

`model.file` may be `uri` and `sha256` instead, `manifest` with the file that `weighbridge manifest` writes, or
`subject` with the document of a container, managed model, pipeline or deployment. `model.lineage` is a list of what the
model was made from: `relation`, `digest` (or `name` and `version`), and `license`; `model.bom` is a file in the format
CycloneDX from which the lineage is taken instead. Paths are relative to the file.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid

MODEL_TEXTS = ("team", "slug", "name", "version", "tier", "task", "owner")
ORIGINS = ("file", "uri", "manifest", "subject")
LINEAGES = ("lineage", "bom", "card")
DATASET_TEXTS = ("name", "license")
TEXTS = ("title", "purpose", "environment", "business_case")
KEYS = (*TEXTS, "model", "rivals", "dataset", "metric_values", "submit")
VALUE_KEYS = ("name", "value", "unit", "basis", "lower", "upper", "confidence", "n", "source")


@dataclasses.dataclass(frozen=True)
class RequestFile:
    """The fields of the request and of the model, and the files to upload."""

    review: dict[str, Any]
    model: dict[str, Any]
    model_file: Path | None
    dataset: dict[str, str] | None
    dataset_file: Path | None
    is_submitted: bool


def read_request_file(path: Path, *, document: Mapping[str, Any] | None = None) -> RequestFile:
    """Read and validate a request file; raise Invalid with the path of the invalid key.

    With `document`, its content is that and not the one of the file.
    """
    return parse_request(_load(path) if document is None else document, folder=path.parent)


def parse_request(document: Mapping[str, Any], *, folder: Path) -> RequestFile:
    """Validate the document of a request, whose paths are relative to `folder`; raise Invalid with the invalid key."""
    _check_keys(document, KEYS, "")
    model = _mapping(document, "model")
    _check_keys(model, (*MODEL_TEXTS, *ORIGINS, "sha256", *LINEAGES), "model.")
    dataset = _mapping(document, "dataset") if document.get("dataset") is not None else None
    is_submitted = document.get("submit", False)
    if not isinstance(is_submitted, bool):
        raise Invalid("submit must be true or false.", field="submit")
    if dataset is not None:
        _check_keys(dataset, (*DATASET_TEXTS, "file"), "dataset.")
    return RequestFile(
        review={
            **{key: _text(document, key, "") for key in TEXTS},
            "metric_values": _metric_values(document.get("metric_values", [])),
        }
        | _rivals(document.get("rivals")),
        model={key: _text(model, key, "model.") for key in MODEL_TEXTS}
        | _origin(model, folder)
        | _lineage(model, folder),
        model_file=_file(model, folder, "model.") if "file" in model else None,
        dataset=_dataset(dataset, team=_text(model, "team", "model.")) if dataset is not None else None,
        dataset_file=_file(dataset, folder, "dataset.") if dataset is not None else None,
        is_submitted=is_submitted,
    )


def _dataset(dataset: Mapping[str, Any], *, team: str) -> dict[str, str]:
    """Return the fields of the evaluation set, which the team of the model owns."""
    return {key: _text(dataset, key, "dataset.") for key in DATASET_TEXTS} | {"team": team}


def _load(path: Path) -> Mapping[str, Any]:
    from weighbridge.core.parsing.yaml_text import read_yaml

    document = read_yaml(path)
    if not isinstance(document, dict):
        raise Invalid(f"{path.name} must be a mapping with the keys {', '.join(KEYS)}.", field="file")
    return document


def _check_keys(document: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = [str(key) for key in document if key not in known]
    if unknown:
        raise Invalid(
            f"{where}{unknown[0]} is unknown; the known keys are {', '.join(known)}.", field=where + unknown[0]
        )


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise Invalid(f"{key} is missing or is not a mapping.", field=key)
    return value


def _text(document: Mapping[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if value is None or isinstance(value, (dict, list, bool)) or not str(value).strip():
        raise Invalid(f"{where}{key} is missing or is not text.", field=where + key)
    return str(value).strip()


def _origin(model: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what names a model that is not uploaded; raise Invalid unless the file gives exactly one source."""
    given = [key for key in ORIGINS if key in model]
    if len(given) != 1:
        text = "Give one of model.file, model.uri with model.sha256, model.manifest and model.subject."
        raise Invalid(text, field="model.file")
    if given == ["uri"]:
        return {key: _text(model, key, "model.") for key in ("uri", "sha256")}
    return {} if given == ["file"] else {"subject": json.dumps(_subject(model, folder))}


def _subject(model: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the checked document of a model that is no single file."""
    from weighbridge.core.parsing.json_text import read_json
    from weighbridge.core.parsing.limits import MEASUREMENT
    from weighbridge.subjects.kinds import document_of, parse_subject

    if "manifest" in model:
        return document_of(parse_subject(read_json(_file(model, folder, "model.", key="manifest"), limits=MEASUREMENT)))
    try:
        return document_of(parse_subject(model["subject"]))
    except Invalid as refusal:
        refusal.field = f"model.subject.{refusal.field}" if refusal.field else "model.subject"
        raise


def _lineage(model: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return the checked lineage of the model as JSON, or that of its bill of materials; nothing without either."""
    from weighbridge.subjects.lineage import lineage_document, parse_lineage

    given = [key for key in LINEAGES if key in model]
    if not given:
        return {}
    if len(given) > 1:
        raise Invalid(f"Give one of model.{' and model.'.join(given)}.", field=f"model.{given[1]}")
    if given != ["lineage"]:
        found = _lineage_in(_file(model, folder, "model.", key=given[0]), given[0])
        return {"lineage": json.dumps(lineage_document(found))}
    try:
        return {"lineage": json.dumps(lineage_document(parse_lineage(model["lineage"])))}
    except Invalid as refusal:
        refusal.field = f"model.{refusal.field}"
        raise


def _lineage_in(path: Path, key: str) -> tuple[Any, ...]:
    from weighbridge.subjects.documents.lineage_files import read_lineage

    try:
        return read_lineage(path.read_bytes(), name=path.name)
    except Invalid as refusal:
        raise Invalid(f"{path.name}: {refusal.reason}", field=f"model.{key}") from refusal


def _file(document: Mapping[str, Any], folder: Path, where: str, *, key: str = "file") -> Path:
    path = folder / _text(document, key, where)
    if not path.is_file():
        raise Invalid(f"There is no file {path} ({where}{key}).", field=f"{where}{key}")
    return path


def _rivals(rivals: object) -> dict[str, list[str]]:
    """Return the other candidates, each a digest or an id."""
    if rivals is None:
        return {}
    if not isinstance(rivals, list) or not all(type(rival) in (str, int) and str(rival).strip() for rival in rivals):
        raise Invalid("rivals must be a list of digests (or ids) of registered versions.", field="rivals")
    return {"rivals": [str(rival).strip() for rival in rivals]}


def _metric_values(metric_values: object) -> list[dict[str, Any]]:
    if not isinstance(metric_values, list) or not all(isinstance(metric, dict) for metric in metric_values):
        text = "metric_values must be a list of mappings with name, value, basis and source."
        raise Invalid(text, field="metric_values")
    for index, metric in enumerate(metric_values):
        _check_keys(metric, VALUE_KEYS, f"metric_values[{index}].")
        for key in ("name", "value", "basis"):
            _text(metric, key, f"metric_values[{index}].")
    return [_exact(metric) for metric in metric_values]


def _exact(metric: Mapping[str, Any]) -> dict[str, Any]:
    """Write numbers as text, which is exact. The server knows the metrics and their units."""
    numbers = {key: str(metric[key]) for key in ("value", "lower", "upper") if metric.get(key) is not None}
    return {"source": "request file", **metric, **numbers}
