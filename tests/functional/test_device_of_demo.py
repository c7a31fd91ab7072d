"""The step of the demo that measures in a headless browser, without anybody who presses a button."""

import json
from pathlib import Path

import pytest

from examples.company import device
from examples.company.terminal import Terminal
from tests.unit.toolkit import builders

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORKER = {"latency_p50_ms": {"value": "0.005"}, "latency_p95_ms": {"value": "0.010"}}


def test_a_browser_measures_the_model_and_its_times_stand_beside_those_of_the_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    times = device.measure(model, data, WORKER, folder=tmp_path, say=Terminal())
    stored = json.loads((tmp_path / "device.json").read_text())
    assert times == {name: stored["metrics"][name] for name in device.TIMES}
    assert stored["agreement"]["is_within"] is True
    said = capsys.readouterr().out
    assert "its answers agree with those of the worker's engine" in said
    assert f"latency_p50_ms     browser {times['latency_p50_ms']['value']:.3g} ms, worker 0.005 ms" in said


def test_without_a_browser_or_its_runtime_the_demo_says_so_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    monkeypatch.setattr(device, "RUNTIME", tmp_path / "none")
    assert device.measure(model, data, WORKER, folder=tmp_path, say=Terminal()) == {}
    monkeypatch.setattr(device, "BROWSERS", ("no-such-browser",))
    assert device.measure(model, data, WORKER, folder=tmp_path, say=Terminal()) == {}
    first, second = capsys.readouterr().out.strip().splitlines()
    assert first.startswith("No browser was measured: ONNX Runtime for browsers is not in")
    assert second.strip() == "No browser was measured: Chromium is not installed."
    assert not (tmp_path / "device.json").exists()
