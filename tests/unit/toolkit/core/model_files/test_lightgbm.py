"""LightGBM models: files that the library writes, and damaged ones."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given

from tests.unit.toolkit.core.model_files.samples import (
    X,
    Y,
    info,
    lightgbm_bytes,
    lightgbm_text,
    mutations,
    refusal_of,
    verdict,
)
from weighbridge.core.model_files import lightgbm_structure
from weighbridge.core.model_files.formats import ArtifactFormat


def test_what_the_library_writes_is_let_in():
    found = info(lightgbm_bytes())
    assert found.format is ArtifactFormat.LIGHTGBM
    assert found.facts == {"version": "v4", "objective": "binary", "features": 5, "trees": 3}


@pytest.mark.parametrize(
    ("parameters", "trees"),
    [
        ({"objective": "multiclass", "num_class": 3}, 6),
        ({"objective": "regression", "linear_tree": True}, 2),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, 2),
    ],
)
def test_every_kind_of_model_is_let_in(parameters, trees):
    rows = np.column_stack([X, np.arange(60) % 3])
    data = lightgbm.Dataset(
        rows, Y, categorical_feature=[5], params={"verbose": -1, "min_data_in_bin": 1, **parameters}
    )
    model = lightgbm.train({"verbose": -1, "min_data_in_leaf": 2, **parameters}, data, 2)
    assert info(model.model_to_string().encode()).facts["trees"] == trees


def test_a_model_of_constants_is_let_in():
    model = lightgbm.train({"verbose": -1, "min_data_in_leaf": 100}, lightgbm.Dataset(X, Y), 2)
    assert info(model.model_to_string().encode()).facts["objective"] == "regression"


SIZES = next(line for line in lightgbm_text().splitlines() if line.startswith("tree_sizes="))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version=v4", "version=v9", "not one of v2, v3, v4"),
        (SIZES + "\n", "", "has no tree_sizes"),
        (SIZES, "tree_sizes=5 5 5", "tree 0 is not where it says"),
        (SIZES, "tree_sizes=x", "tree_sizes is not a number"),
        ("max_feature_idx=4", "max_feature_idx=5", "as many features"),
        ("max_feature_idx=4", "max_feature_idx=-1", "max_feature_idx is not a number"),
        ("num_leaves=", "mum_leaves=", "num_leaves is not a number"),
        ("num_cat=", "num_leaves=", "or one twice"),
        ("Tree=1", "Tree=7", "tree 1 is not where it says"),
        ("left_child=", "left_child=x ", "as many nodes"),
        ("end of trees", "end of tree", "trees do not end"),
        ("Column_0", "Column_\0", "is not text"),
        ("leaf_value=", "leaf_walue=", "as many nodes"),
    ],
)
def test_damaged_models_are_refused(old, new, words):
    assert old in lightgbm_text()
    refusal = refusal_of(lightgbm_text().replace(old, new, 1).encode())
    assert refusal.code == "damaged_artifact"
    assert words in refusal.reason
    assert "Save the model again with Booster.save_model." in refusal.reason


def test_a_header_ends():
    assert "header does not end" in refusal_of(lightgbm_bytes().partition(b"\n\n")[0]).reason


def test_text_is_utf8():
    refusal = refusal_of(lightgbm_bytes() + b"\xff")
    assert "not UTF-8" in refusal.reason


@pytest.mark.parametrize(
    ("name", "limit", "words"),
    [
        ("MAX_BYTES", 100, "larger than 100 bytes"),
        ("MOST_TREES", 2, "too many trees"),
        ("MAX_END_BYTES", 20, "trees do not end"),
        ("MOST_FIELDS", 15, "too many fields"),
        ("MAX_HEADER_BYTES", 20, "header does not end"),
    ],
)
def test_models_are_bounded(monkeypatch, name, limit, words):
    monkeypatch.setattr(lightgbm_structure, name, limit)
    assert words in refusal_of(lightgbm_bytes()).reason


@given(mutations(lightgbm_bytes))
def test_nothing_but_refusals_is_raised(content):
    assert verdict(content) in {None, ArtifactFormat.LIGHTGBM, ArtifactFormat.ONNX}
