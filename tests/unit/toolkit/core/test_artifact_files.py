"""What a path leads to is judged before what the file holds."""

import os

import pytest

from tests.unit.toolkit.core.test_artifacts import onnx_bytes
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.inspection import inspect


@pytest.mark.parametrize("make", ["symbolic", "hard"])
def test_links_are_refused_before_anything_is_read(tmp_path, make):
    secret, link = tmp_path / "secret.onnx", tmp_path / "model.onnx"
    secret.write_bytes(onnx_bytes())
    if make == "symbolic":
        link.symlink_to(secret)
    else:
        link.hardlink_to(secret)
    with pytest.raises(Invalid) as refusal:
        inspect(link, name="model.onnx")
    assert refusal.value.code == "linked_artifact"
    assert refusal.value.reason.startswith("model.onnx is a link to another file or has a hard link")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.onnx")
    with pytest.raises(Invalid) as refusal:
        inspect(tmp_path / "model.onnx", name="model.onnx")
    assert (refusal.value.code, refusal.value.field) == ("unreadable_artifact", "file")
