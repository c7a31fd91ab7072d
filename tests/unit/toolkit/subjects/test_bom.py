"""Bills of materials: valid against the parts of CycloneDX 1.6 that are used, and read back as a lineage."""

import copy
from datetime import UTC, datetime
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given

from tests.unit.toolkit.subjects.test_lineage import UNIQUE, digest
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import MetricValue
from weighbridge.subjects import Ancestor, Relation
from weighbridge.subjects.documents.bom import BomModel, bom_document, lineage_of_bom

AT = datetime(2026, 11, 28, tzinfo=UTC)
TEXT, TEXTS = {"type": "string", "minLength": 1}, {"type": "string"}


def closed(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def listed(items):
    return {"type": "array", "items": items}


PROPERTY = closed(["name"], name=TEXT, value=TEXTS)
HASH = closed(["alg", "content"], alg={"enum": ["SHA-256"]}, content={"type": "string", "pattern": "^[a-f0-9]{64}$"})
LICENSES = listed(closed(["license"], license=closed(["name"], name=TEXT)))
METRIC = closed(
    ["type", "value"], type=TEXT, value=TEXT, confidenceInterval=closed([], lowerBound=TEXTS, upperBound=TEXTS)
)
CARD = closed(
    [],
    modelParameters=closed([], task=TEXT, datasets=listed(closed(["ref"], ref=TEXT))),
    quantitativeAnalysis=closed([], performanceMetrics=listed(METRIC)),
    properties=listed(PROPERTY),
)
COMPONENT = closed(
    ["type", "name"],
    **{
        "type": {"enum": ["machine-learning-model", "data", "file"]},
        "name": TEXT,
        "version": TEXTS,
        "bom-ref": TEXT,
        "hashes": listed(HASH),
        "licenses": LICENSES,
        "pedigree": closed([], ancestors=listed({"$ref": "#/$defs/component"})),
        "modelCard": CARD,
        "properties": listed(PROPERTY),
    },
)
SCHEMA = closed(
    ["bomFormat", "specVersion"],
    bomFormat={"const": "CycloneDX"},
    specVersion={"const": "1.6"},
    version={"type": "integer", "minimum": 1},
    metadata=closed([], timestamp=TEXT, component={"$ref": "#/$defs/component"}),
    components=listed({"$ref": "#/$defs/component"}),
    dependencies=listed(closed(["ref"], ref=TEXT, dependsOn=listed(TEXT))),
) | {"$defs": {"component": COMPONENT}}
VALUE = MetricValue(
    id="1",
    name="latency_p95_ms",
    value=Decimal("2.0"),
    unit="ms",
    basis=Basis.MEASURED,
    observed_at=AT,
    lower=Decimal("1.9"),
    upper=Decimal("2.2"),
    n=3000,
    source="run 5",
)


def bill(*lineage, values=(VALUE,), parts=()):
    model = BomModel("ranker", "1.0", digest(1), "ranking", tuple(lineage), tuple(parts))
    return bom_document(model, values=values, at=AT)


def test_every_figure_has_its_basis():
    document = bill(parts=[digest(7)])
    card = document["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "latency_p95_ms", "value": "2 ms", "confidenceInterval": {"lowerBound": "1.9", "upperBound": "2.2"}}
    ]
    assert card["properties"] == [
        {
            "name": "weighbridge:basis:latency_p95_ms",
            "value": "measured; n = 3000; run 5; 2026-11-28T00:00:00+00:00",
        }
    ]
    assert document["dependencies"] == [{"ref": digest(1), "dependsOn": [f"part:{digest(7)}"]}]


def test_a_value_without_interval_says_so_by_its_absence():
    plain = MetricValue(
        id="2", name="accuracy", value=Decimal("0.9"), unit="ratio", basis=Basis.DECLARED, observed_at=AT
    )
    card = bill(values=[plain])["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [{"type": "accuracy", "value": "0.9 ratio"}]
    assert card["properties"][0]["value"] == "declared; no source; 2026-11-28T00:00:00+00:00"


@given(UNIQUE)
def test_a_bill_is_valid_and_is_read_as_the_lineage_it_was_written_from(entries):
    document = bill(*entries, parts=[digest(8)])
    jsonschema.validate(document, SCHEMA)
    assert sorted(map(repr, lineage_of_bom(document))) == sorted(map(repr, entries))


def test_a_bill_of_another_tool_is_read():
    document = bill()
    component = document["metadata"]["component"]
    component["pedigree"] = {
        "ancestors": [
            {"type": MODEL_TYPE, "name": "llama", "version": "3.1", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
            {
                "type": MODEL_TYPE,
                "name": "teacher",
                "hashes": [{"alg": "SHA-1", "content": "0"}, {"alg": "SHA-256", "content": "0" * 64}],
                "licenses": [{"license": {"id": "MIT"}}],
            },
            {"type": MODEL_TYPE, "name": "other", "version": "1", "licenses": [{"license": {}}]},
        ]
    }
    component["modelCard"]["modelParameters"]["datasets"] = [{"ref": "d"}, {"ref": "missing"}, {"type": "dataset"}]
    document["components"] = [{"type": "data", "bom-ref": "d", "name": "photos", "version": "3"}, {"type": "library"}]
    assert lineage_of_bom(document) == (
        Ancestor(Relation.BASE_MODEL, name="llama", version="3.1", license="MIT OR Apache-2.0"),
        Ancestor(Relation.BASE_MODEL, digest=digest(0), license="MIT"),
        Ancestor(Relation.BASE_MODEL, name="other", version="1"),
        Ancestor(Relation.TRAINED_ON, name="photos", version="3"),
    )
    del component["pedigree"], component["modelCard"]
    assert lineage_of_bom(document) == ()


MODEL_TYPE = "machine-learning-model"
WRONG = [
    (lambda bom: [], "bom"),
    (lambda bom: bom | {"bomFormat": "SPDX"}, "bom.bomFormat"),
    (lambda bom: bom | {"specVersion": "2.0"}, "bom.bomFormat"),
    (lambda bom: bom | {"metadata": None}, "bom.metadata"),
    (lambda bom: bom | {"metadata": {}}, "bom.metadata.component"),
    (lambda bom: bom | {"components": {}}, "bom.components"),
    (lambda bom: with_ancestor(bom, 5), "bom.ancestors"),
    (lambda bom: with_ancestor(bom, {"name": "llama"}), "lineage[0].version"),
    (lambda bom: with_ancestor(bom, {"name": "llama", "version": 3}), "lineage[0].version"),
    (lambda bom: with_ancestor(bom, {"hashes": [{"alg": "SHA-256", "content": "x"}]}), "lineage[0].digest"),
    (lambda bom: with_ancestor(bom, {"name": "a", "version": "1", "licenses": "MIT"}), "bom.licenses"),
]


def with_ancestor(document, ancestor):
    document["metadata"]["component"]["pedigree"] = {"ancestors": [ancestor]}
    return document


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_what_is_no_bill_of_a_model_is_refused(change, field):
    with pytest.raises(Invalid) as refusal:
        lineage_of_bom(change(copy.deepcopy(bill())))
    assert refusal.value.field == field
