"""Variants are judged by quality, so rows on which quality is void judge none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.toolkit import builders
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.optimization import trial
from weighbridge.optimization.plan import OptimizationChoice, TrainedVariants, of_file, of_network
from weighbridge.optimization.series import Series
from weighbridge.systems.sandbox.process import RunFailed

RNG = np.random.default_rng(5)
X = RNG.normal(size=(400, 4)).astype(np.float32)
Y = np.arange(400) % 3


def planned(folder: Path, x: np.ndarray, y: np.ndarray, *, calibration: np.ndarray | None = None) -> Series:
    model, data, rows = builders.classifier(folder / "m.onnx"), folder / "d.npz", None
    np.savez(data, x=x, y=y)
    if calibration is not None:
        rows = folder / "c.npz"
        np.savez(rows, x=calibration, y=np.zeros(len(calibration), np.int64))
    choice = OptimizationChoice(folder=folder / "out", only=("int8-dynamic",), calibrate=50)
    return of_file(model, data, calibration=rows, choice=choice)


def test_sound_rows_are_planned(tmp_path: Path) -> None:
    assert planned(tmp_path, X, Y).bench.rows.is_file()
    assert planned(tmp_path, X, Y, calibration=X[:4]).bench.rows.is_file(), "four of 400 rows are one percent"


@pytest.mark.parametrize(
    ("x", "y", "calibration", "code", "words"),
    [
        (X, np.ones(400, np.int64), None, "quality_one_label", "All 350 labels are 1"),
        (X[:20], Y[:20], X[100:], "quality_rows", "quality on fewer than 30 rows"),
        (np.ones_like(X), Y, X, "quality_constant", "All 400 rows have the same input"),
        (X, Y, X[:5], "quality_seen", "5 of 400 test rows are also calibration or training rows"),
        (X, Y, X, "quality_seen", "50 of 400 test rows are also calibration or training rows"),
    ],
)
def test_rows_on_which_quality_is_void_are_refused(
    tmp_path: Path, x: np.ndarray, y: np.ndarray, calibration: np.ndarray | None, code: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        planned(tmp_path, x, y, calibration=calibration)
    assert (refusal.value.code, refusal.value.field) == (code, "data")
    assert not (tmp_path / "out").exists()


def test_a_profile_with_void_quality_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = planned(tmp_path, X, Y).bench
    follow = (lambda *_: None), (lambda: False)
    verdicts: list[dict[str, Any] | None] = [None, {"status": "valid", "reasons": []}]
    for verdict in verdicts:
        monkeypatch.setattr(trial, "run_isolated", lambda verdict=verdict, **_: {"quality_verdict": verdict})
        assert bench.profile(bench.baseline, "fp32", follow) == {"quality_verdict": verdict}
    void = {"status": "invalid", "reasons": [{"code": "quality.noise", "message": "The inputs are noise."}]}
    monkeypatch.setattr(trial, "run_isolated", lambda **_: {"quality_verdict": void})
    with pytest.raises(RunFailed, match="The inputs are noise") as failure:
        bench.profile(bench.baseline, "fp32", follow)
    assert failure.value.code == "quality_void"


def test_a_network_is_not_tested_on_rows_that_it_was_trained_on(tmp_path: Path) -> None:
    rows = DataSet.of(X, Y)
    with pytest.raises(Invalid, match="400 of 400 test rows are also calibration or training rows"):
        of_network(
            None, rows, rows, wanted=TrainedVariants(), choice=OptimizationChoice(folder=tmp_path / "out"), family="net"
        )
    assert not (tmp_path / "out").exists()
