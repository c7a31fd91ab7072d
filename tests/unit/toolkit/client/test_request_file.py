"""The request file: what it says, and what is refused with the key at fault."""

import json
from pathlib import Path

import pytest
import yaml

from governance.inventory.enums import Tier
from weighbridge.client.request_file import read_request_file
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD

MODEL = {
    "team": "search",
    "slug": "visual",
    "name": "Visual",
    "version": 1.5,
    "tier": "high",
    "task": "classification",
    "owner": "ada",
}
REVIEW = {"title": "T", "purpose": "P", "environment": "prod", "business_case": "B"}
METRIC = {"name": "training_gpu_hours", "value": 320, "basis": "declared"}


def write(tmp_path, model=None, **changes):
    (tmp_path / "model.onnx").write_bytes(b"m")
    document = {**REVIEW, "model": {**MODEL, "file": "model.onnx"} if model is None else model, **changes}
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in document.items() if value is not ...}))
    return path


def test_a_whole_request(tmp_path):
    (tmp_path / "test.npz").write_bytes(b"d")
    path = write(
        tmp_path,
        dataset={"name": "held out", "license": "MIT", "file": "test.npz"},
        submit=True,
        metric_values=[
            METRIC,
            {
                "name": "training_cost_usd",
                "value": 0.1,
                "lower": 0,
                "basis": "estimated",
                "unit": "USD",
                "source": "sheet",
            },
        ],
    )
    found = read_request_file(path)
    assert found.review == {
        **REVIEW,
        "metric_values": [
            {
                "name": "training_gpu_hours",
                "value": "320",
                "basis": "declared",
                "source": "request file",
            },
            {
                "name": "training_cost_usd",
                "value": "0.1",
                "lower": "0",
                "unit": "USD",
                "basis": "estimated",
                "source": "sheet",
            },
        ],
    }
    assert found.model == {**MODEL, "version": "1.5"}
    assert (found.model_file, found.dataset_file) == (tmp_path / "model.onnx", tmp_path / "test.npz")
    assert (found.dataset, found.is_submitted) == ({"name": "held out", "license": "MIT", "team": "search"}, True)


def test_other_candidates_are_named_by_digest_or_id(tmp_path):
    assert read_request_file(write(tmp_path, rivals=["sha256:ab", 7])).review["rivals"] == ["sha256:ab", "7"]
    assert "rivals" not in read_request_file(write(tmp_path)).review


def test_the_least_request_names_a_model_elsewhere(tmp_path):
    found = read_request_file(write(tmp_path, model={**MODEL, "uri": "s3://x/m.onnx", "sha256": "ab"}))
    assert (found.model_file, found.dataset, found.dataset_file, found.is_submitted) == (None, None, None, False)
    assert (found.model["uri"], found.model["sha256"]) == ("s3://x/m.onnx", "ab")
    assert found.review["metric_values"] == []


def test_the_lineage_of_the_model_is_sent(tmp_path):
    entry = {"relation": "base_model", "name": "llama", "version": "3.1", "license": "llama3.1"}
    model = {**MODEL, "uri": "s3://x/m.onnx", "sha256": "ab", "lineage": [entry]}
    assert json.loads(read_request_file(write(tmp_path, model=model)).model["lineage"]) == [entry]


def test_the_lineage_is_taken_from_a_bill_of_materials(tmp_path):
    ancestor = {"type": "machine-learning-model", "name": "llama", "version": "3.1"}
    component = {"pedigree": {"ancestors": [ancestor]}}
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": component}}
    (tmp_path / "bom.json").write_text(json.dumps(bom))
    model = {**MODEL, "uri": "s3://x/m.onnx", "sha256": "ab", "bom": "bom.json"}
    lineage = [{"relation": "base_model", "name": "llama", "version": "3.1"}]
    assert json.loads(read_request_file(write(tmp_path, model=model)).model["lineage"]) == lineage
    for wrong in ({"bom": "none.json"}, {"lineage": []}, {"bom": "wrong.json"}):
        (tmp_path / "wrong.json").write_text("{}")
        with pytest.raises(Invalid) as refusal:
            read_request_file(write(tmp_path, model=model | wrong))
        assert refusal.value.field == "model.bom"


def test_the_lineage_is_taken_from_a_model_card(tmp_path):
    (tmp_path / "README.md").write_text("---\nbase_model: org/llama@3.1\n---\n# Ranker\n")
    model = {**MODEL, "uri": "s3://x/m.onnx", "sha256": "ab", "card": "README.md"}
    lineage = [{"relation": "base_model", "name": "org/llama", "version": "3.1"}]
    assert json.loads(read_request_file(write(tmp_path, model=model)).model["lineage"]) == lineage
    for wrong in ({"card": "none.md"}, {"bom": "README.md"}, {"lineage": []}):
        with pytest.raises(Invalid) as refusal:
            read_request_file(write(tmp_path, model=model | wrong))
        assert refusal.value.field == "model.card"


def test_a_subject_of_another_kind_is_sent_as_its_document(tmp_path):
    managed = {"kind": "managed", "provider": "openai", "model": "gpt-4o-mini", "snapshot": "2024-07-18"}
    request = read_request_file(write(tmp_path, model={**MODEL, "subject": managed}))
    sent = json.loads(request.model["subject"])
    assert (sent["kind"], sent["snapshot"], "file" in request.model) == ("managed", "2024-07-18", False)
    manifest = {"kind": "manifest", "files": [{"path": "a", "sha256": "1" * 64, "size_bytes": 1}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    request = read_request_file(write(tmp_path, model={**MODEL, "manifest": "manifest.json"}))
    assert json.loads(request.model["subject"])["files"] == manifest["files"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"titel": "x"}, "titel"),
        ({"rivals": "sha256:ab"}, "rivals"),
        ({"rivals": ["sha256:ab", True]}, "rivals"),
        ({"rivals": [" "]}, "rivals"),
        ({"title": ...}, "title"),
        ({"title": "  "}, "title"),
        ({"title": True}, "title"),
        ({"title": ["x"]}, "title"),
        ({"model": 3}, "model"),
        ({"model": {**MODEL, "file": "model.onnx", "color": "red"}}, "model.color"),
        ({"model": {**MODEL, "file": "none.onnx"}}, "model.file"),
        ({"model": MODEL}, "model.file"),
        ({"model": {**MODEL, "file": "model.onnx", "uri": "s3://"}}, "model.file"),
        ({"model": {**MODEL, "uri": "s3://"}}, "model.sha256"),
        ({"model": {**MODEL, "file": "model.onnx", "lineage": "x"}}, "model.lineage"),
        ({"model": {**MODEL, "file": "model.onnx", "lineage": [{"relation": "x"}]}}, "model.lineage[0].relation"),
        ({"model": {**MODEL, "subject": {"kind": "managed"}}}, "model.subject.provider"),
        ({"model": {**MODEL, "subject": ["managed"]}}, "model.subject"),
        ({"model": {**MODEL, "manifest": "none.json"}}, "model.manifest"),
        ({"dataset": {"name": "x"}}, "dataset.license"),
        ({"dataset": {"name": "x", "license": "MIT"}}, "dataset.file"),
        ({"dataset": {"name": "x", "file": "model.onnx", "rows": 3}}, "dataset.rows"),
        ({"submit": "yes"}, "submit"),
        ({"metric_values": {"a": 1}}, "metric_values"),
        ({"metric_values": ["a"]}, "metric_values"),
        ({"metric_values": [METRIC, {"name": "accuracy", "value": 1}]}, "metric_values[1].basis"),
        ({"metric_values": [{**METRIC, "color": 1}]}, "metric_values[0].color"),
    ],
)
def test_a_fault_is_refused_with_its_key(tmp_path, changes, field):
    with pytest.raises(Invalid) as refusal:
        read_request_file(write(tmp_path, **changes))
    assert refusal.value.field == field


@pytest.mark.parametrize("content", [b"a: [", b"- a\n", b"\xff\xfe\x00", b""])
def test_what_is_no_mapping_in_yaml_is_refused(tmp_path, content):
    (tmp_path / "r.yaml").write_bytes(content)
    with pytest.raises(Invalid, match=r"r\.yaml"):
        read_request_file(tmp_path / "r.yaml")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        read_request_file(tmp_path / "none.yaml")


def test_the_file_shown_in_the_how_to_is_read(tmp_path):
    page = (Path(__file__).parents[4] / "docs/how-to/file-a-request.md").read_text()
    (tmp_path / "request.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    (tmp_path / "model.onnx").touch()
    (tmp_path / "test.npz").touch()
    asked = read_request_file(tmp_path / "request.yaml")
    assert asked.model["tier"] in Tier.values
    assert all(metric["name"] in STANDARD for metric in asked.review["metric_values"])
    assert asked.is_submitted
