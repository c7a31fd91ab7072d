"""What a model file says without being run."""

import errno
import hashlib
import mmap

import numpy as np
import onnx  # noqa: TID253 -- tests build models
import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.core.model_files import samples
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.model_file import digest_of_file, read_model


def test_a_classifier_is_read(tmp_path):
    path = builders.classifier(tmp_path / "model")
    found = read_model(path)
    assert found.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest() == digest_of_file(path)
    assert found.size_mb == path.stat().st_size / 1_000_000
    assert (found.parameters, found.operators, found.opsets) == (12, {"MatMul": 1}, {"ai.onnx": 17})


def test_weights_and_operators_inside_loops_count(tmp_path):
    found = read_model(builders.endless(tmp_path / "model.onnx"))
    assert (found.parameters, found.operators) == (5, {"Add": 1, "Identity": 1, "Loop": 1})


def test_weights_in_a_list_of_graphs_count(tmp_path):
    path = builders.classifier(tmp_path / "model.onnx")
    model = onnx.load(str(path))
    inner = onnx.helper.make_graph(
        [], "inner", [], [], [onnx.numpy_helper.from_array(np.ones(7, dtype=np.float32), "v")]
    )
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("branches", [inner]))
    onnx.save(model, str(path))
    assert read_model(path).parameters == 19


def test_what_is_no_runnable_model_is_refused(tmp_path, monkeypatch):
    (tmp_path / "model.pt").write_bytes(b"PK\x03\x04")
    (tmp_path / "text.onnx").write_text("not a model")
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    codes = {}
    for name in ("model.pt", "text.onnx", "w.safetensors", "missing.onnx"):
        with pytest.raises(Invalid) as refusal:
            read_model(tmp_path / name)
        codes[name] = refusal.value.code
    assert codes["w.safetensors"] == "model_weights_only"
    assert codes["missing.onnx"] == "model_missing"
    assert codes["model.pt"] == "unsafe_artifact"
    assert "text.onnx" in codes


def test_a_model_of_another_system_is_named_with_the_suffix_that_it_needs(tmp_path):
    (tmp_path / "model.onnx").write_bytes(samples.xgboost_bytes())
    with pytest.raises(Invalid, match=r"is a model of xgboost, .* name it like model\.ubj or model\.json\.") as refusal:
        read_model(tmp_path / "model.onnx")
    assert refusal.value.code == "model_form"


def test_a_model_that_the_library_cannot_parse_is_refused(tmp_path, monkeypatch):
    path = builders.classifier(tmp_path / "model.onnx")

    def fail(*_arguments, **_options):
        raise RuntimeError("wire format")

    monkeypatch.setattr(onnx, "load", fail)
    with pytest.raises(Invalid) as refusal:
        read_model(path)
    assert refusal.value.code == "model_unreadable"


def test_a_file_that_does_not_fit_into_memory_is_not_called_unreadable(tmp_path, monkeypatch):
    path = builders.classifier(tmp_path / "model.onnx")

    def fail(*_arguments, **_options):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", fail)
    with pytest.raises(MemoryError, match=r"model\.onnx does not fit into memory"):
        read_model(path)
