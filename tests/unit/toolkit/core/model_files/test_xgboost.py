"""XGBoost models: files that the library writes, in both forms, and damaged ones."""

import json
import struct

import pytest
import xgboost
from hypothesis import example, given

from tests.unit.toolkit.core.model_files.samples import X, Y, info, mutations, refusal_of, verdict, xgboost_bytes
from weighbridge.core.model_files import ubjson, xgboost_structure
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.core.model_files.ubjson import outline_of_ubjson

FACTS = {"objective": "reg:squarederror", "features": 5}


@pytest.mark.parametrize("suffix", ["ubj", "json"])
@pytest.mark.parametrize(("booster", "trees"), [("gbtree", 3), ("dart", 3), ("gblinear", 0)])
def test_what_the_library_writes_is_let_in(suffix, booster, trees):
    found = info(xgboost_bytes(suffix, booster))
    assert found.format is ArtifactFormat.XGBOOST
    assert found.facts == {**FACTS, "booster": booster, "trees": trees}


def test_features_with_names_and_categories_are_let_in():
    import pandas as pd

    table = pd.DataFrame({"a[1]": X[:, 0], "b": pd.Categorical(["x", "y", "z"] * 20)})
    table.columns = ["a1", "b"]
    data = xgboost.DMatrix(table, Y, enable_categorical=True)
    model = xgboost.train({"tree_method": "hist", "max_depth": 3}, data, 4)
    for suffix in ("ubj", "json"):
        assert info(bytes(model.save_raw(suffix))).facts == {**FACTS, "features": 2, "booster": "gbtree", "trees": 4}


def document():
    return json.loads(xgboost_bytes("json"))


def changed(path, value):
    """Return the model with one value replaced, or removed if the value is None."""
    whole = place = document()
    *before, last = path
    for key in before:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(whole).encode()


MODEL = ("learner", "gradient_booster", "model")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("learner",), 1, "has no learner"),
        (("learner", "gradient_booster"), None, "has no gradient_booster"),
        (("learner", "gradient_booster", "name"), "gbforest", "'gbforest' is not known"),
        (("learner", "gradient_booster", "name"), 5, "has no name"),
        (("learner", "objective", "name"), "x" * 201, "has no name"),
        (("learner", "learner_model_param", "num_feature"), "many", "num_feature is not a number"),
        ((*MODEL, "gbtree_model_param", "num_trees"), "4", "as many trees"),
        ((*MODEL, "trees"), {}, "as many trees"),
        ((*MODEL, "trees", 1), 7, "has no trees"),
        ((*MODEL, "trees", 1, "tree_param", "num_nodes"), "1", "as many nodes"),
        ((*MODEL, "trees", 1, "left_children"), [1], "as many nodes"),
        ((*MODEL, "trees", 1, "left_children"), ["a"], "left_children are not numbers"),
        ((*MODEL, "trees", 1, "left_children"), 5, "left_children are not numbers"),
        ((*MODEL, "trees", 1, "parents"), [[1], [2]], "parents are not numbers"),
    ],
)
def test_incomplete_models_are_refused(path, value, words):
    refusal = refusal_of(changed(path, value))
    assert refusal.code == "damaged_artifact"
    assert words in refusal.reason
    assert "Save the model again with Booster.save_model." in refusal.reason


def test_a_linear_model_has_weights():
    content = xgboost_bytes("json", "gblinear").replace(b'"weights"', b'"widths"')
    assert "weights are not numbers" in refusal_of(content).reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"learner":[1,,2]}', "not valid JSON"),
        (b'{"learner":{"a":NaN}}', "NaN is not a number"),
        (b'{"learner":1,"learner":2}', "occurs twice"),
        (b'{"learner":' + b"[" * 50 + b"]" * 50 + b"}", "nested deeper"),
        (b'{"learner":[] ,"version":[01]}', "not valid JSON"),
    ],
)
def test_json_is_strict(content, words):
    assert words in refusal_of(content).reason


def test_json_is_bounded(monkeypatch):
    monkeypatch.setattr(xgboost_structure, "MOST_VALUES", 3)
    assert "too many parts" in refusal_of(b'{"learner":[[1],[2],[3],[4]]}').reason
    monkeypatch.setattr(xgboost_structure, "MAX_JSON_BYTES", 20)
    assert "larger than 20 bytes; save it as .ubj" in refusal_of(xgboost_bytes("json")).reason


@pytest.mark.parametrize("head", [b"binf", b"\0\0\0\x3f" + b"\0" * 132 + struct.pack("<Q", 10) + b"reg:linear"])
def test_the_old_binary_form_is_refused_with_its_remedy(head):
    refusal = refusal_of(head + struct.pack("<Q", 6) + b"gbtree" + b"\0" * 100)
    assert refusal.code == "artifact_version"
    assert "save it as .ubj or .json with Booster.save_model" in refusal.reason


def length(value):
    return b"L" + struct.pack(">q", value)


def key(name):
    return length(len(name)) + name


def outline(content):
    return outline_of_ubjson(memoryview(content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"T", True),
        (b"F", False),
        (b"Z", None),
        (b"i\xff", -1),
        (b"U\xff", 255),
        (b"I\xff\xfe", -2),
        (b"l\x00\x00\x01\x00", 256),
        (b"d" + struct.pack(">f", 0.5), 0.5),
        (b"D" + struct.pack(">d", 0.1), 0.1),
        (b"S" + key("é".encode()), "é"),
        (b"{" + key(b"a") + b"i\1}", {"a": 1}),
        (b"[$i#" + length(3) + b"\1\2\3", [3]),
        (b"[$i#" + length(0), []),
        (b"[#" + length(2) + b"i\1i\2", [2]),
        (b"[#" + length(2) + b"Ti\2", [True, 2]),
        (b"[i\1T]", [1, True]),
        (b"[]", []),
    ],
)
def test_an_outline_has_the_structure_and_the_lengths(content, expected):
    assert outline(content) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "truncated"),
        (b"TT", "follows its end"),
        (b"N", "unknown type"),
        (b"{" + (key(b"a") + b"T") * 2 + b"}", "occurs twice"),
        (b"{" + key(b"a") + b"T", "truncated"),
        (b"{i\1aT}", "not one of eight bytes"),
        (b"[$S#" + length(1), "unknown type"),
        (b"[$i" + length(1), "has no length"),
        (b"[$i#" + length(2**62), "truncated"),
        (b"[$i#" + length(-1), "truncated"),
        (b"[#" + length(2**40) + b"T", "truncated"),
        (b"S" + length(2**40), "too long"),
        (b"S" + length(-1), "truncated"),
        (b"S" + key(b"\xff"), "not UTF-8"),
        (b"[" * 40, "too many parts"),
    ],
)
def test_damaged_ubjson_is_refused(content, words):
    with pytest.raises(ubjson.Damaged, match=words):
        outline(content)


def test_values_are_counted(monkeypatch):
    monkeypatch.setattr(ubjson, "MOST_VALUES", 5)
    with pytest.raises(ubjson.Damaged, match="too many parts"):
        outline(b"[" + b"T" * 5 + b"]")


@given(
    mutations(xgboost_bytes)
    | mutations(lambda: xgboost_bytes("json"))
    | mutations(lambda: xgboost_bytes("ubj", "dart"))
)
@example(b'{"learner"')
@example(b"{L" + b"\0" * 7 + b"\x07learner")
def test_nothing_but_refusals_is_raised(content):
    assert verdict(content) in {None, ArtifactFormat.XGBOOST, ArtifactFormat.ONNX}
