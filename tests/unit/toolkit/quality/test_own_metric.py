"""A user's own metric: a function by name, with an interval like any other."""

import sys

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.quality.own_metric import metric_of
from weighbridge.quality.predictions.reading import predictions_of
from weighbridge.quality.scoring.document import scores_document
from weighbridge.quality.scoring.job import Wanted
from weighbridge.quality.scoring.measuring import ScoreSettings

CODE = """
import numpy as np

def within_one(truth, answers):
    return np.mean(np.abs(truth - answers) <= 1)

def loss(truth, answers):
    return np.abs(truth - answers).mean()

loss.is_higher_better = False

def broken(truth, answers):
    raise KeyError("price")

def odd(truth, answers):
    return "much"

def nowhere(truth, answers):
    return float("nan")

def letters(truth, answers):
    return np.mean([one[0] == other[0] for one, other in zip(truth, answers)])

limit = 5
"""
FEW = ScoreSettings(resamples=100)
COLUMNS = {"y": np.arange(40.0), "prediction": np.arange(40.0) + np.tile([0, 2], 20), "g": np.arange(40) // 4}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A module of the user in the folder where the command is typed."""
    (tmp_path / "shop_metrics.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "shop_metrics"
    sys.modules.pop("shop_metrics", None)


def scored(columns, mapped=None, **wanted):
    return scores_document(predictions_of(columns, mapped or {}), Wanted(score=FEW, **wanted))


def test_a_function_has_a_value_an_interval_slices_and_drops(shop):
    name = f"{shop}:within_one"
    better = {**COLUMNS, "prediction": COLUMNS["y"]}
    found = scored(COLUMNS, metrics=[name, f"{shop}:loss"], baseline=predictions_of(better, {}))
    metric = found["metrics"][name]
    assert (found["task"], metric["value"], metric["unit"], metric["n"]) == ("any", 0.5, "1", 40)
    assert metric["lower"] < 0.5 < metric["upper"]
    # Less of the loss is better, and both are worse than the baseline.
    assert {drop["metric"]: drop["value"] for drop in found["drops"]} == {name: 0.5, f"{shop}:loss": 1.0}
    grouped = scored(COLUMNS, {"group": ["g"]}, metrics=[name])["metrics"][name]
    assert (grouped["n"], grouped["lower"]) == (10, 0.5)


def test_a_function_stands_beside_metrics_of_the_registry(shop):
    found = scored(COLUMNS, metrics=["mae", f"{shop}:loss"])
    assert found["task"] == "regression"
    assert found["metrics"]["mae"]["value"] == found["metrics"][f"{shop}:loss"]["value"] == 1
    texts = scored({"y": ["ab", "cd"] * 20, "prediction": ["ax", "xd"] * 20}, metrics=["wer", f"{shop}:letters"])
    assert texts["metrics"][f"{shop}:letters"]["value"] == 0.5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{}:none", "has no function 'none'"),
        ("{}:limit", "has no function 'limit'"),
        ("{}:", "is no function; write package.module:function"),
        (":f", "is no function; write package.module:function"),
        ("{}:a b", "is no function"),
        ("no_such_module:f", "no_such_module cannot be imported"),
        ("{}:broken", "broken failed: KeyError: 'price'"),
        ("{}:odd", "odd failed: ValueError"),
        ("{}:nowhere", "returned NaN for all rows"),
    ],
)
def test_what_is_no_function_or_fails_is_refused(shop, name, words):
    with pytest.raises(Invalid, match=words) as refusal:
        scored(COLUMNS, metrics=[name.format(shop)])
    assert refusal.value.field == "metric"


def test_a_function_takes_no_weights(shop):
    with pytest.raises(Invalid, match="takes no weights of rows"):
        scored({**COLUMNS, "w": np.full(40, 0.5)}, {"weight": ["w"]}, metrics=[f"{shop}:loss"])


def test_names_without_a_colon_are_those_of_the_registry():
    assert metric_of("mae").name == "mae"
