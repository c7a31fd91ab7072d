"""ONNX models that keep their weights in other files beside them, as exporters write large models."""

import numpy as np
import pytest

from weighbridge import compare, optimize, profile
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.external_weights import weight_files
from weighbridge.core.model_files.inspection import inspect
from weighbridge.measure.studies.rerun import settings_of
from weighbridge.systems.sandbox.process import RunFailed

ROWS, COLUMNS = 16, 400
WEIGHTS = np.arange(COLUMNS * 3, dtype=np.float32).reshape(COLUMNS, 3)


def network():
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, COLUMNS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(WEIGHTS, "w")],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


@pytest.fixture
def bundle(tmp_path):
    import onnx

    path = tmp_path / "bundle" / "model.onnx"
    path.parent.mkdir()
    onnx.save(network(), path, save_as_external_data=True, location="model.bin", size_threshold=0)
    return path


def naming(path, location):
    """Rewrite the model so that its weights are at another location."""
    import onnx

    changed = onnx.load(path, load_external_data=False)
    for entry in changed.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    path.write_bytes(changed.SerializeToString())


def test_bundle_is_measured_and_every_file_is_recorded(bundle):
    result = profile(bundle, samples=150, operators=False)
    weights = bundle.with_name("model.bin")
    size_mb = result["metrics"]["model_size_mb"]["value"]
    assert result["metrics"]["latency_p50_ms"]["value"] > 0
    assert size_mb == pytest.approx((bundle.stat().st_size + weights.stat().st_size) / 1e6)
    assert weight_files(bundle) == (weights,)


def test_manifest_tells_two_bundles_apart_that_differ_in_their_weights(bundle):
    before = profile(bundle, samples=150, operators=False)["manifest"]["model"]
    weights = bundle.with_name("model.bin")
    weights.write_bytes(bytes(len(weights.read_bytes())))
    after = profile(bundle, samples=150, operators=False)["manifest"]["model"]
    assert before["digest"] == after["digest"]
    assert before["weights"].keys() == {"model.bin"}
    assert before["weights"]["model.bin"] != after["weights"]["model.bin"]


def test_result_is_not_repeated_with_other_weights(bundle):
    result = profile(bundle, samples=150, operators=False)
    assert settings_of(result.document, model=bundle, data=None).scenario.threads == 1
    bundle.with_name("model.bin").write_bytes(bytes(4800))
    with pytest.raises(Invalid, match="not those that were measured"):
        settings_of(result.document, model=bundle, data=None)


def test_bundles_are_compared(bundle, tmp_path):
    import onnx

    whole = tmp_path / "whole.onnx"
    onnx.save(network(), whole)
    document = compare([bundle, whole], rounds=8, block_ms=20)
    assert [each["name"] for each in document["candidates"]] == ["model", "whole"]
    entries = document["manifest"]["models"]
    assert {name: sorted(entry) for name, entry in entries.items()} == {
        "model": ["digest", "weights"],
        "whole": ["digest"],
    }


@pytest.mark.parametrize("location", ["../model.bin", "/etc/hostname", "a/../../model.bin", ""])
def test_weights_outside_of_the_folder_are_refused(bundle, location):
    bundle.parent.parent.joinpath("model.bin").write_bytes(b"0" * 4800)
    naming(bundle, location)
    with pytest.raises(Invalid) as refusal:
        profile(bundle, samples=150, operators=False)
    assert refusal.value.code == "external_data"
    assert "not in its own folder" in str(refusal.value)


@pytest.mark.parametrize("how", ["missing", "link", "link out", "linked folder"])
def test_weights_that_are_no_file_are_refused(bundle, tmp_path, how):
    weights, other = bundle.with_name("model.bin"), tmp_path / "other.bin"
    content = weights.read_bytes()
    weights.unlink()
    if how == "link":
        bundle.with_name("same.bin").write_bytes(content)
        weights.symlink_to("same.bin")
    elif how == "link out":
        other.write_bytes(content)
        weights.symlink_to(other)
    elif how == "linked folder":
        other.write_bytes(content)
        bundle.with_name("sub").symlink_to(tmp_path)
        naming(bundle, "sub/other.bin")
    with pytest.raises(Invalid) as refusal:
        profile(bundle, samples=150, operators=False)
    assert refusal.value.code == "external_data"


def test_a_model_that_is_broken_elsewhere_is_refused_by_whoever_reads_it(bundle):
    content = bundle.read_bytes()
    # The operator is of a wire type that there is not; the weights beside the file are found before it.
    bundle.write_bytes(content.replace(b"\x22\x06MatMul", b"\x27\x06MatMul"))
    assert bundle.read_bytes() != content
    assert weight_files(bundle) == ()
    words = r"model\.onnx is neither an ONNX model nor .* format .*: it uses an obsolete protobuf wire type"
    with pytest.raises(RunFailed, match=words) as refusal:
        profile(bundle, samples=150, operators=False)
    assert refusal.value.code == "unknown_artifact"


def test_weights_inside_of_a_bundle_need_no_file(bundle):
    import onnx

    mixed = onnx.load(bundle, load_external_data=False)
    mixed.graph.initializer.append(onnx.numpy_helper.from_array(WEIGHTS, "inside"))
    bundle.write_bytes(mixed.SerializeToString())
    assert weight_files(bundle) == (bundle.with_name("model.bin"),)


def test_upload_and_variants_still_need_one_file(bundle, tmp_path):
    with pytest.raises(Invalid, match="save it as one file"):
        inspect(bundle, name="model.onnx")
    data = tmp_path / "rows.npz"
    np.savez(data, x=np.zeros((ROWS, COLUMNS), np.float32), y=np.zeros(ROWS, np.int64))
    with pytest.raises(Invalid, match="variants need one file"):
        optimize(bundle, data=data, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_whole_model_and_other_files_have_no_weights_elsewhere(tmp_path):
    import onnx

    onnx.save(network(), tmp_path / "model.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    assert weight_files(tmp_path / "model.onnx") == ()
    assert weight_files(tmp_path / "broken.onnx") == ()
    assert weight_files(tmp_path / "missing.onnx") == ()
