"""No row both calibrates and judges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.binding import bind
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.measure.inputs.settings import AS_DECLARED
from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.optimization import data_split


def numbered(count: int) -> DataSet:
    return DataSet.of(np.arange(count, dtype=np.float32)[:, None], np.arange(count))


@given(count=st.integers(101, 400), share=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_rows_are_set_apart_without_loss_or_overlap(count, share, seed):
    calibrate = 1 + int(share * (count - 101))
    shown, tested = data_split.split(numbered(count), calibrate=calibrate, seed=seed)
    assert len(shown.x) == calibrate
    assert sorted([*shown.y, *tested.y]) == list(range(count))
    assert (shown.x[:, 0] == shown.y).all()
    assert (tested.x[:, 0] == tested.y).all()


def test_the_seed_alone_decides():
    first, again, other = (data_split.split(numbered(300), calibrate=50, seed=seed)[0].y.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_too_few_rows_to_test_on_are_refused_with_the_way_out():
    with pytest.raises(
        Invalid, match=r"has 300 rows; 512 for calibration leave 0 to test on.*--calibration"
    ) as refused:
        data_split.split(numbered(300), calibrate=512, seed=0)
    assert refused.value.code == "data_rows"
    with pytest.raises(Invalid, match="leave 99 to test on"):
        data_split.split(numbered(300), calibrate=201, seed=0)


@pytest.mark.parametrize("take", [data_split.split, data_split.drawn])
def test_nothing_is_calibrated_with_no_rows(take):
    with pytest.raises(Invalid, match="at least one"):
        take(numbered(300), calibrate=0, seed=0)


def test_rows_of_their_own_are_drawn_up_to_what_there_is():
    assert len(data_split.drawn(numbered(300), calibrate=512, seed=0).x) == 300
    assert len(data_split.drawn(numbered(300), calibrate=12, seed=0).x) == 12


def bound(first):
    return bind([InputSpec("x", "float32", (first, 1))], numbered(70), AS_DECLARED)


def test_batches_follow_what_the_model_takes():
    sizes = {first: [len(feed["x"]) for feed in data_split.batches(numbered(70), bound(first))] for first in ("n", 1)}
    assert sizes == {"n": [32, 32, 6], 1: [1] * 70}


def test_shown_rows_tell_how_far_they_are(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz", rows=64)
    said = []
    feeds = list(data_split.shown(model, data, threads=1, say=lambda share, doing: said.append((share, doing))))
    assert [feed["x"].shape for feed in feeds] == [(32, 4), (32, 4)]
    assert said == [(0.5, "calibrating"), (1.0, "calibrating")]


def test_rows_that_do_not_fit_are_refused(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 5])
    with pytest.raises(Invalid, match=r"needs \(n, 5\)"):
        next(data_split.shown(model, builders.data_set(tmp_path / "d.npz"), threads=1, say=lambda *_: None))


def test_a_row_that_repeats_a_calibration_row_is_not_tested_on() -> None:
    x = np.arange(300, dtype=np.float32)[:, None]
    x[200:] = x[:100]
    shown, tested = data_split.split(DataSet.of(x, np.arange(300) % 3), calibrate=50, seed=1)
    assert len(shown.x) == 50
    assert not np.isin(tested.x, shown.x).any()
    assert len(tested.x) == 250 - int(np.isin(x[:, 0], shown.x[:, 0]).sum() - 50)
    repeated = DataSet.of(np.tile(x[:20], (10, 1)), np.arange(200) % 3)
    with pytest.raises(Invalid, match="rows do not repeat a calibration row") as refusal:
        data_split.split(repeated, calibrate=50, seed=1)
    assert refusal.value.code == "data_rows"
