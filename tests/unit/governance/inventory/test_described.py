"""The columns of a subject that is described and not uploaded."""

import pytest

from governance.inventory.domain.described import columns_of
from tests.factories import kinds
from weighbridge.core.errors import Invalid


def test_a_repository_contains_its_files():
    columns = columns_of(kinds.MANIFEST)
    assert columns["contained"] == [kinds.digest(letter) for letter in "123"]
    assert (columns["kind"], columns["ends_on"], columns["document"]["name"]) == ("manifest", None, "tiny-llm")


def test_a_pipeline_contains_its_parts_and_theirs():
    columns = columns_of(kinds.PIPELINE)
    assert kinds.digest("5") in columns["contained"]
    assert set(columns_of(kinds.MANAGED)["contained"]) < set(columns["contained"])


def test_a_deployment_contains_its_model_its_files_and_its_image():
    columns = columns_of(kinds.DEPLOYMENT)
    root = columns_of(kinds.MANIFEST)["digest"]
    assert set(columns["contained"]) == {root, *(kinds.digest(letter) for letter in "1236")}
    by_digest = columns_of(kinds.DEPLOYMENT | {"model": {"digest": root}})
    assert (by_digest["digest"], by_digest["contained"]) == (columns["digest"], sorted({root, kinds.digest("6")}))
    managed = columns_of({"kind": "deployment", "model": kinds.MANAGED | {"retires_on": "2027-03-31"}})
    assert set(columns_of(kinds.MANAGED)["contained"]) < set(managed["contained"])
    assert managed["ends_on"].isoformat() == "2027-03-31"


def test_a_single_file_is_not_described():
    with pytest.raises(Invalid, match="is uploaded, or named by its URI and SHA-256") as refusal:
        columns_of({"kind": "file", "format": "onnx", "sha256": "5" * 64})
    assert refusal.value.field == "subject.kind"
