"""Tables, folders, tokenizers and functions become data sets."""

import json
import sys
import wave

import numpy as np
import polars
import pytest
from onnx import TensorProto, helper  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.measure.test_inputs import code_of
from weighbridge.api.data import data_file, prepare_data
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.declared import declared_inputs
from weighbridge.measure.inputs.sources.media import ImageOptions
from weighbridge.measure.inputs.sources.prepare import SourceOptions, data_set_of, read_source
from weighbridge.measure.inputs.sources.rows import SourceRows
from weighbridge.measure.inputs.spec import InputSpec

FRAME = polars.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "y": [0, 1, 1]})
FEATURES = InputSpec("features", "float32", (None, 2))


def prepared(path, specs=(), **options):
    return data_set_of(read_source(path, SourceOptions(**options)), specs)


@pytest.fixture(params=["csv", "parquet", "jsonl"])
def table(request, tmp_path):
    path = tmp_path / f"rows.{request.param}"
    {"csv": FRAME.write_csv, "parquet": FRAME.write_parquet, "jsonl": FRAME.write_ndjson}[request.param](path)
    return path


def test_a_table_gives_the_features_of_the_only_input_in_their_order(table):
    data = prepared(table, [FEATURES])
    assert (data.columns["features"].tolist(), data.columns["features"].dtype) == (
        [[1, 0.5], [2, 1.5], [3, 2.5]],
        np.float32,
    )
    assert (data.y.tolist(), data.y.dtype) == ([0, 1, 1], np.int64)


def test_columns_are_inputs_of_their_names_and_the_others_are_left_out(table):
    specs = [InputSpec("b", "float32", (None, 1)), InputSpec("a", "int64", (None, 1))]
    data = prepared(table, specs)
    assert {name: column.tolist() for name, column in data.columns.items()} == {
        "a": [[1], [2], [3]],
        "b": [[0.5], [1.5], [2.5]],
    }
    assert {str(column.dtype) for column in data.columns.values()} == {"int64", "float32"}


def test_columns_and_the_truth_may_be_chosen(table):
    data = prepared(table, [InputSpec("x", "float64", (None, 1))], target="b", columns=("a",))
    assert (data.columns["x"].tolist(), data.y.tolist()) == ([[1], [2], [3]], [0.5, 1.5, 2.5])
    assert prepared(table, columns=("a",)).y.tolist() == [0, 1, 1]
    with pytest.raises(Invalid, match="has no column none; it has a, b, y"):
        prepared(table, target="none")


@pytest.mark.parametrize(
    ("specs", "options", "code"),
    [
        ([], {"columns": ("gone",)}, "data_form"),
        ([InputSpec("p", "float32", (None, 1)), InputSpec("q", "float32", (None, 1))], {}, "model_inputs"),
        ([InputSpec("b", "int64", (None, 1))], {}, "data_type"),
        ([], {"tokenizer": "t.json"}, "data_form"),
        ([], {"preprocess": "nothing"}, "invalid"),
        ([], {"preprocess": "json:gone"}, "module_missing"),
        ([], {"preprocess": "no.such:f"}, "module_missing"),
    ],
)
def test_what_does_not_fit_a_table_is_refused(table, specs, options, code):
    assert code_of(prepared, table, specs, **options) == code


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "folder",
            {"target": "y"},
            "--target and --column choose columns of tables (.csv, .parquet, .jsonl); folder is none.",
        ),
        (
            "rows.npz",
            {"columns": ("a",)},
            "--target and --column choose columns of tables (.csv, .parquet, .jsonl); rows.npz is none.",
        ),
        (
            "rows.csv",
            {"image": ImageOptions(is_gray=True)},
            "--resize, --layout, --mean, --deviation and --gray are for a folder of images; rows.csv is none.",
        ),
    ],
)
def test_an_option_that_a_source_would_ignore_is_refused(tmp_path, name, options, sentence):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Invalid) as refusal:
        prepared(tmp_path / name, **options)
    assert (refusal.value.reason, refusal.value.code) == (sentence, "data_form")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rows.csv", "a,y\n1,0\n,1\n", "the column a is empty in row 2"),
        ("rows.csv", "a,y\n", "has no rows"),
        ("rows.csv", "a,y\nx,0\nz,1\n", "but the data has texts"),
        ("rows.csv", "a,b,y\nx,1,0\nz,1,1\n", "The columns a have no single number"),
        ("rows.parquet", "nothing", "cannot be read as .parquet"),
        ("rows.jsonl", '{"a": 1}\n{"b": ', "cannot be read as .jsonl"),
        ("rows.txt", "a", "is no data set"),
        ("gone.csv", None, "There is no data file gone.csv"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path, name, text, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(Invalid, match=words):
        prepared(tmp_path / name, [FEATURES])


def test_lists_in_lines_become_rows_of_their_own_size(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"ids": [1, 2, 3], "y": "cat"}\n{"ids": [4], "y": "dog"}\n')
    data = prepared(tmp_path / "rows.jsonl", [InputSpec("ids", "int32", (None, "seq"))])
    assert isinstance(data.columns["ids"], Ragged)
    assert ([row.tolist() for row in data.columns["ids"]], data.columns["ids"].dtype) == ([[1, 2, 3], [4]], np.int32)
    assert data.y.tolist() == ["cat", "dog"]


def test_truth_that_is_no_single_value_is_refused(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"a": 1, "y": [1, 2]}\n{"a": 2, "y": [3, 4]}\n')
    assert code_of(prepared, tmp_path / "rows.jsonl") == "data_type"
    (tmp_path / "flags.jsonl").write_text('{"a": 1, "y": true}\n{"a": 2, "y": false}\n')
    assert prepared(tmp_path / "flags.jsonl").y.tolist() == [1, 0]


def test_texts_stay_texts_and_other_things_become_text_where_it_is_wanted(tmp_path):
    (tmp_path / "rows.csv").write_text("text,number\nhello,1\nyou,2\n")
    text = InputSpec("text", "string", (None,))
    assert prepared(tmp_path / "rows.csv", [text]).columns["text"].tolist() == ["hello", "you"]
    number = InputSpec("number", "string", (None,))
    assert prepared(tmp_path / "rows.csv", [number]).columns["number"].tolist() == ["1", "2"]


TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
    "added_tokens": [],
    "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "good": 1, "shoe": 2}, "unk_token": "[UNK]"},
}


def test_a_tokenizer_gives_the_inputs_that_models_call_by_these_names(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(TOKENIZER))
    (tmp_path / "rows.csv").write_text("text,y\nGood shoe,1\nbad,0\n")
    options = {"tokenizer": tmp_path / "t.json", "max_tokens": 8}
    names = ("input_ids", "attention_mask")
    data = prepared(tmp_path / "rows.csv", [InputSpec(name, "int64", (None, "seq")) for name in names], **options)
    assert {name: [row.tolist() for row in column] for name, column in data.columns.items()} == {
        "input_ids": [[1, 2], [0]],
        "attention_mask": [[1, 1], [1]],
    }
    short = prepared(tmp_path / "rows.csv", **{**options, "max_tokens": 1}).columns["input_ids"]
    assert short.tolist() == [[1], [0]]
    whole = prepared(tmp_path / "rows.csv", tokenizer=tmp_path / "t.json").columns["input_ids"]
    assert [row.tolist() for row in whole] == [[1, 2], [0]]
    (tmp_path / "t.json").write_text("{}")
    assert code_of(prepared, tmp_path / "rows.csv", **options) == "tokenizer_unreadable"


MODULE = """
import numpy as np

def double(row):
    return {"x": np.array([row["a"] * 2.0]), "size": np.array(3)}

def single(row):
    return np.full(int(row["a"]), row["b"])

def odd(row):
    return {"x": 1} if row["a"] == 1 else {"z": 1}

def mixed(row):
    return 1 if row["a"] == 1 else "text"

def wrong(row):
    return 1 / (row["a"] - 2)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_rows.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_rows", None)


@pytest.mark.usefixtures("module")
def test_a_function_of_the_user_makes_the_inputs(table):
    data = prepared(table, preprocess="my_rows:double")
    assert (data.columns["x"].tolist(), data.columns["size"].tolist()) == ([[2], [4], [6]], [3, 3, 3])
    sizes = prepared(table, preprocess="my_rows:single").columns["x"].shapes.tolist()
    assert sizes == [[1], [2], [3]]
    for name, words in (
        ("wrong", "failed in row 2: ZeroDivisionError"),
        ("odd", "other inputs for some rows"),
        ("mixed", "The rows of x differ in type"),
    ):
        with pytest.raises(Invalid, match=words):
            prepared(table, preprocess=f"my_rows:{name}")


def picture(path, width, height, color):
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (width, height), color).save(path)


def test_a_folder_of_images_has_its_classes_in_subfolders(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    picture(folder / "dog" / "1.png", 4, 2, (255, 0, 0))
    picture(folder / "cat" / "1.png", 4, 2, (0, 255, 0))
    data = prepared(folder)
    assert (data.x.shape, data.x.dtype, data.y.tolist()) == ((2, 3, 2, 4), np.float32, [0, 1])
    assert data.x[:, :, 0, 0].tolist() == [[0, 1, 0], [1, 0, 0]], "in the order of the names: cat, dog"
    options = ImageOptions(size=(3, 5), layout="nhwc", mean=(0.5,) * 3, deviation=(0.25,) * 3)
    assert prepared(folder, image=options).x.shape == (2, 3, 5, 3)
    assert prepared(folder, image=options).x[0, 0, 0].tolist() == [-2, 2, -2]
    assert prepared(folder, image=ImageOptions(is_gray=True)).x.shape == (2, 1, 2, 4)
    picture(folder / "cat" / "2.png", 6, 2, (0, 0, 0))
    assert prepared(folder).columns["x"].shapes.tolist() == [[3, 2, 4], [3, 2, 6], [3, 2, 4]]
    picture(folder / "beside.png", 4, 2, (0, 0, 0))
    assert code_of(prepared, folder) == "data_form"


def test_images_without_subfolders_have_no_classes(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    picture(folder / "1.png", 4, 2, (0, 0, 0))
    assert prepared(folder).y is None


@pytest.mark.parametrize(
    "wrong", [{"layout": "hwc"}, {"size": (0, 5)}, {"deviation": (0.0,)}, {"deviation": (1.0, -1.0, 1.0)}]
)
def test_options_of_images_that_mean_nothing_are_refused(wrong):
    assert code_of(ImageOptions, **wrong) == "invalid"


def test_files_that_are_no_images_are_named(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(Invalid, match=r"a\.png cannot be read as an image"):
        prepared(tmp_path)
    picture(tmp_path / "a.png", 4, 4, (0, 0, 0))
    monkeypatch.setattr("weighbridge.measure.inputs.sources.media.MAX_PIXELS", 15)
    assert code_of(prepared, tmp_path) == "data_form"
    (tmp_path / "a.png").rename(tmp_path / "a.txt")
    assert code_of(prepared, tmp_path) == "data_empty"


def sound(path, samples, *, channels=1, width=2):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(16_000)
        file.writeframes(np.asarray(samples, dtype="<i2").tobytes())


def test_sounds_are_samples_between_minus_one_and_one(tmp_path):
    sound(tmp_path / "a.wav", [0, 16_384, -32_768])
    sound(tmp_path / "b.wav", [32_767, 0, 16_384, 0], channels=2)
    rows = [row.tolist() for row in prepared(tmp_path).columns["x"]]
    assert rows == [[0, 0.5, -1], [pytest.approx(0.5, abs=1e-4), 0.25]]
    sound(tmp_path / "c.wav", [0], width=1)
    assert code_of(prepared, tmp_path) == "data_form"
    (tmp_path / "c.wav").write_bytes(b"RIFF")
    assert code_of(prepared, tmp_path) == "data_unreadable"


@pytest.mark.parametrize("first", [2, None, -1, "n"])
def test_declared_inputs_are_those_that_the_engine_tells(tmp_path, first):
    from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

    model = builders.save(
        [helper.make_node("Identity", ["a"], ["c"]), helper.make_node("Identity", ["b"], ["d"])],
        [
            helper.make_tensor_value_info("a", TensorProto.STRING, ["n"]),
            helper.make_tensor_value_info("b", TensorProto.DOUBLE, [first, None]),
        ],
        [
            helper.make_tensor_value_info("c", TensorProto.STRING, ["n"]),
            helper.make_tensor_value_info("d", TensorProto.DOUBLE, None),
        ],
        [],
        tmp_path / "m.onnx",
    )
    assert declared_inputs(model) == OnnxRuntimeRunner(model, threads=1).inputs
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    assert code_of(declared_inputs, tmp_path / "no.onnx") == "model_unreadable"
    assert code_of(declared_inputs, tmp_path / "gone.onnx") == "model_missing"


def test_an_npz_file_is_taken_as_it_is_and_may_be_preprocessed(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.arange(6.0).reshape(3, 2), y=np.array([0, 1, 2]))
    assert data_file(tmp_path / "d.npz", model=None, folder=tmp_path) == tmp_path / "d.npz"
    assert data_file(None, model=None, folder=tmp_path) is None
    data = prepared(tmp_path / "d.npz")
    assert (data.x.tolist(), data.y.tolist()) == ([[0, 1], [2, 3], [4, 5]], [0, 1, 2])


@pytest.mark.parametrize(
    ("text", "dtype", "values"),
    [
        ("a,b,y\n1,0.5,0\n2,1.5,1\n", np.float64, [[1, 0.5], [2, 1.5]]),
        ("a,y\n1,0\n2,1\n", np.float64, [[1], [2]]),
        ("words,y\ngood shoe,1\nbad,0\n", "<U9", ["good shoe", "bad"]),
    ],
)
def test_a_table_gets_the_form_of_a_model_that_declares_no_inputs(tmp_path, text, dtype, values):
    (tmp_path / "rows.csv").write_text(text)
    data = read_data_set(data_file(tmp_path / "rows.csv", model=tmp_path / "m.skops", folder=tmp_path))
    assert (list(data.columns), data.x.dtype, data.x.tolist()) == (["x"], dtype, values)


@pytest.mark.parametrize(
    ("out", "code", "sentence"),
    [
        ("rows.csv", "data_form", "A data set is an .npz file; call it rows.npz."),
        ("rows", "data_form", "A data set is an .npz file; call it rows.npz."),
        ("d.npz", "overwrites", "d.npz is the source; give the data set another name."),
        ("same.npz", "overwrites", "d.npz is the source; give the data set another name."),
    ],
)
def test_a_data_set_has_a_name_of_its_own(tmp_path, out, code, sentence):
    np.savez(tmp_path / "d.npz", x=np.arange(3.0))
    (tmp_path / "same.npz").symlink_to("d.npz")
    before = (tmp_path / "d.npz").read_bytes()
    with pytest.raises(Invalid) as refusal:
        prepare_data(tmp_path / "d.npz", tmp_path / out)
    assert (refusal.value.reason, refusal.value.code, refusal.value.field) == (sentence, code, "out")
    assert (tmp_path / "d.npz").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.npz", "same.npz"]


def test_arrays_are_a_data_set(tmp_path):
    arrays = {"ids": np.arange(4), "y": [0, 1, 1, 0]}
    data = read_data_set(data_file(arrays, model=None, folder=tmp_path))
    assert (data.columns["ids"].tolist(), data.y.tolist()) == ([0, 1, 2, 3], [0, 1, 1, 0])
    assert code_of(data_file, {"a": [1, 2], "b": [1]}, model=None, folder=tmp_path) == "data_shape"


def test_the_command_writes_what_a_profile_reads(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx")
    x = np.random.default_rng(1).random((40, 3)).round(3)
    frame = polars.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "d": [0.0] * 40, "kind": x.argmax(axis=1)})
    frame.write_csv(tmp_path / "rows.csv")
    wanted = ("--out", tmp_path / "d.npz", "--model", model, "--target", "kind", "--json", tmp_path / "d.json")
    done = weighbridge("prepare-data", tmp_path / "rows.csv", *wanted)
    assert (done.exit_code, done.stdout) == (0, "40 rows\n  x: float32, 40 x 4\n  y: int64, 40\n")
    document = json.loads((tmp_path / "d.json").read_text())
    assert (document["schema"], document["rows"], document["source"]["file"]) == ("weighbridge.data/1", 40, "rows.csv")
    data = read_data_set(tmp_path / "d.npz")
    assert (data.x.dtype, data.y.tolist()) == (np.float32, frame["kind"].to_list())
    again = prepare_data(tmp_path / "rows.csv", tmp_path / "again.npz", model=model, target="kind")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "d.npz").read_bytes()
    assert again["arrays"] == [{"array": "x", "type": "float32", "shape": "40 x 4"}]


@pytest.mark.parametrize(
    "options",
    [
        ("--resize", "5"),
        ("--resize", "axb"),
        ("--mean", "a"),
        ("--mean", "1,2"),
        ("--layout", "x"),
        ("--out", "/no/d.npz"),
    ],
)
def test_wrong_options_of_the_command_have_a_sentence(tmp_path, options):
    folder = tmp_path / "images"
    folder.mkdir()
    picture(folder / "1.png", 4, 2, (0, 0, 0))
    given = options if "--out" in options else (*options, "--out", tmp_path / "d.npz")
    done = weighbridge("prepare-data", folder, *given)
    assert (done.exit_code, done.stderr.startswith("weighbridge: ")) == (2, True)
    assert not (tmp_path / "d.npz").exists()


def test_the_command_tells_of_rows_without_truth_and_of_their_sizes(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    picture(folder / "1.png", 4, 2, (0, 0, 0))
    picture(folder / "2.png", 2, 2, (0, 0, 0))
    options = ("--out", tmp_path / "d.npz", "--gray", "--mean", "0.5", "--deviation", "0.5,0.5,0.5")
    refused = weighbridge("prepare-data", folder, *options)
    assert refused.exit_code == 2, "three deviations for one channel"
    done = weighbridge("prepare-data", folder, *options[:3])
    assert done.stdout == "2 rows\n  x: float32, 2 rows of 4 to 8 values\n  no truth: quality cannot be measured\n"
    first = prepare_data(folder, tmp_path / "e.npz")["source"]
    (folder / "2.png").rename(folder / "3.png")
    assert prepare_data(folder, tmp_path / "e.npz")["source"]["digest"] != first["digest"]


def test_the_command_resizes_images_to_height_and_width(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    picture(folder / "1.png", 4, 2, (0, 0, 0))
    picture(folder / "2.png", 2, 2, (0, 0, 0))
    done = weighbridge("prepare-data", folder, "--out", tmp_path / "d.npz", "--resize", "3x5")
    assert done.stdout == "2 rows\n  x: float32, 2 x 3 x 3 x 5\n  no truth: quality cannot be measured\n"


def test_rows_are_told_one_by_one():
    rows = SourceRows({"a": [1, 2], "b": "xy"}, None)
    assert list(rows) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
