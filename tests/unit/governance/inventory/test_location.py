"""Where a model version may lie: an address for every reader, never a path of one machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.inventory.domain.locations import SCHEMES, check_location
from weighbridge.core.errors import Invalid


@pytest.mark.parametrize(
    "uri",
    [
        "https://models.example.org/a/b.onnx",
        "https://models.example.org:8443/a.onnx",
        "s3://bucket/model.onnx",
        "gs://bucket/folder/model.safetensors",
        "az://container/model.onnx",
        "hf://org/model/model.onnx",
        "oci://registry.example.org/models/ranker.onnx",
        "docker://registry.example.org/ranker/model.onnx",
        "mlflow://ranker/3/model.onnx",
    ],
)
def test_an_address_of_a_known_scheme_is_accepted(uri: str) -> None:
    check_location(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "model.onnx",
        "/srv/models/model.onnx",
        "C:\\models\\model.onnx",
        "\\\\server\\share\\model.onnx",
        "file:///srv/models/model.onnx",
        "FILE:///srv/model.onnx",
        "file://host/model.onnx",
        "s3:/bucket/model.onnx",
        "s3:///model.onnx",
        "s3://bucket",
        "s3://bucket/",
        "s3://../model.onnx",
        "s3://bucket/../other/model.onnx",
        "S3://bucket/model.onnx",
        "http://models.example.org/model.onnx",
        "ftp://models.example.org/model.onnx",
        "javascript://x/%0aalert(1).onnx",
        "data://x/model.onnx",
        "https://user:secret@models.example.org/model.onnx",
        "https://models.example.org/my model.onnx",
        "https://models.example.org/model.onnx\n",
        " https://models.example.org/model.onnx",
    ],
)
def test_anything_else_is_refused_with_what_to_do(uri: str) -> None:
    with pytest.raises(Invalid, match="https://, s3://, gs://, az://, hf://, oci://, docker://, mlflow://") as refusal:
        check_location(uri)
    assert refusal.value.field == "uri"


@given(st.text(max_size=60))
def test_whatever_is_accepted_has_a_known_scheme_and_no_space(uri: str) -> None:
    try:
        check_location(uri)
    except Invalid:
        return
    assert uri.partition("://")[0] in SCHEMES
    assert uri.isascii()
    assert not any(character.isspace() for character in uri)
