"""`weighbridge compare` and `weighbridge rerun` at the terminal."""

import json

import numpy as np
import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.measure.test_comparison import slow
from tests.unit.toolkit.measure.test_rerun import result_of
from weighbridge.api.comparing import named
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.systems.sandbox import isolated, isolated_comparison
from weighbridge.systems.sandbox.bubblewrap import Layers
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

pytestmark = pytest.mark.slow

DOCUMENT = {
    "baseline": "a",
    "noise_floor": 0.02,
    "candidates": [
        {
            "name": "a",
            "metrics": {"model_size_mb": {"value": 2.0}},
            "speed_up": None,
            "answer": "baseline",
            "quality_drops": [],
            "failures": {},
            "not_scored": None,
        },
        {
            "name": "b",
            "metrics": {"model_size_mb": {"value": 1.0}, "latency_p50_ms": {"value": 2.0, "lower": 1.9, "upper": 2.1}},
            "speed_up": {"value": 1.5, "lower": 1.4, "upper": 1.6},
            "answer": "faster",
            "failures": {},
            "not_scored": None,
            "quality_drops": [
                {
                    "metric": "accuracy",
                    "value": 0.01,
                    "lower": 0.0,
                    "upper": 0.02,
                    "margin": 0.05,
                    "is_non_inferior": True,
                },
                {
                    "metric": "f1_macro",
                    "value": 0.04,
                    "lower": 0.0,
                    "upper": 0.08,
                    "margin": 0.05,
                    "is_non_inferior": False,
                },
            ],
        },
    ],
    "ranks": [["b"], ["a", "c"]],
    "verdict": {"status": "indicative", "reasons": [{"code": "interference.load", "message": "Busy."}]},
}


@pytest.fixture
def told(monkeypatch):
    """Let the comparison answer, or raise, what a test says."""

    def use(answer):
        def run(**_):
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(isolated_comparison, "compare_isolated", run)

    return use


def test_two_models_from_file_to_table(tmp_path):
    models = slow(tmp_path / "slow.onnx"), builders.classifier(tmp_path / "quick.onnx")
    written = tmp_path / "c.json"
    options = ("--data", builders.data_set(tmp_path / "d.npz"), "--rounds", 8, "--block-ms", 2, "--json", written)
    done = weighbridge("compare", *models, *options)
    found = json.loads(written.read_text())
    assert done.exit_code == (1 if found["verdict"]["status"] == "invalid" else 0)
    assert "compared with slow" in done.stdout
    assert "quick: accuracy worse by 0 [" in done.stdout


def test_a_table_says_who_is_quicker_and_what_is_lost(told):
    told(DOCUMENT)
    done = weighbridge("compare", "a.onnx", "b.onnx")
    assert done.exit_code == 0
    for words in (
        "b: accuracy worse by 0.01 [0, 0.02], within 0.05",
        "b: f1_macro worse by 0.04 [0, 0.08], not shown to be within 0.05",
        "noise floor: 2.0%",
        "fastest first: b, then a = c",
        "verdict: indicative",
        "interference.load: Busy.",
    ):
        assert words in done.stdout
    told({**DOCUMENT, "noise_floor": None})
    assert "noise floor" not in weighbridge("compare", "a.onnx", "b.onnx").stdout
    told({**DOCUMENT, "verdict": {"status": "invalid", "reasons": []}})
    assert (weighbridge("compare", "a.onnx", "b.onnx", "--quiet")).exit_code == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failures": {"InvalidArgument": 3}}, "b: queries failed (InvalidArgument 3)"),
        ({"not_scored": "The model returned NaN."}, "b: not scored: The model returned NaN."),
    ],
)
def test_a_comparison_with_a_model_that_failed_is_a_no(told, changes, words):
    first, second = DOCUMENT["candidates"]
    told({**DOCUMENT, "candidates": [first, {**second, **changes}]})
    done = weighbridge("compare", "a.onnx", "b.onnx")
    assert (done.exit_code, words in done.stdout) == (1, True)
    assert done.stderr.endswith("weighbridge: b failed, so the comparison is incomplete.\n")


def test_what_a_stopped_comparison_has_is_kept(told, tmp_path):
    stopped = RunCanceled("The run was canceled.")
    stopped.partial = DOCUMENT
    told(stopped)
    done = weighbridge("compare", "a.onnx", "b.onnx", "--json", tmp_path / "c.json")
    assert (done.exit_code, json.loads((tmp_path / "c.json").read_text())["baseline"]) == (130, "a")
    assert "result is partial" in done.stderr
    unwritable = weighbridge("compare", "a.onnx", "b.onnx", "--json", tmp_path)
    assert (unwritable.exit_code, "cannot be written" in unwritable.stderr) == (2, True)


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (RunFailed("The model failed."), 2, "weighbridge: The model failed.\n"),
        (KeyboardInterrupt(), 130, "has no result"),
        (Invalid("No."), 2, "weighbridge: No.\n"),
    ],
)
def test_without_a_result_the_reason_is_told(told, raised, code, words):
    told(raised)
    done = weighbridge("compare", "a.onnx", "b.onnx", "--quiet")
    assert done.exit_code == code
    assert words in done.stderr


def test_models_are_named_by_their_files(tmp_path):
    assert list(named([tmp_path / "a.onnx", tmp_path / "b.onnx"])) == ["a", "b"]
    assert list(named([tmp_path / "a.onnx", tmp_path / "a.ort"])) == ["a.onnx", "a.ort"]
    twice = [tmp_path / "x" / "a.onnx", tmp_path / "y" / "a.onnx"]
    assert list(named(twice)) == [str(path) for path in twice]
    with pytest.raises(Invalid, match="given twice"):
        named([tmp_path / "a.onnx"] * 2)


def test_a_run_is_repeated_from_file_to_table(tmp_path):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    first, written = tmp_path / "r.json", tmp_path / "again.json"
    weighbridge("profile", model, "--data", data, "--samples", 700, "--json", first, "--quiet")
    done = weighbridge("rerun", first, "--model", model, "--data", data, "--json", written)
    found = json.loads(written.read_text())
    assert done.exit_code == {"equivalent": 0, "different": 1, "cannot_tell": 2}[found["answer"]]
    assert "answer: " in done.stdout
    assert found["result"]["manifest"]["settings"]["scenario"]["min_samples"] == 700
    assert not [each for each in found["differences"] if each["condition"].startswith("libraries")]
    np.savez(tmp_path / "other.npz", x=np.zeros((1, 4), np.float32), y=np.zeros(1, np.int64))
    other = weighbridge("rerun", first, "--model", model, "--data", tmp_path / "other.npz")
    assert (other.exit_code, "is not the data that was measured" in other.stderr) == (2, True)


@pytest.fixture
def first(tmp_path):
    """A result on file, its model, and a way to say what the repeated run answers."""
    (tmp_path / "m.onnx").write_bytes(b"model")
    (tmp_path / "r.json").write_text(json.dumps(result_of(tmp_path / "m.onnx")))
    return "rerun", tmp_path / "r.json", "--model", tmp_path / "m.onnx"


@pytest.mark.parametrize(
    ("again", "code", "words"),
    [
        ({}, 0, "answer: equivalent"),
        ({"p50": 3.0}, 1, "answer: different"),
        ({"status": "invalid"}, 2, "This run is not a valid measurement"),
        ({"libraries": "9"}, 0, "differs: libraries.numpy was 1, is 9"),
    ],
)
def test_the_answer_is_the_exit_code(first, monkeypatch, again, code, words):
    monkeypatch.setattr(isolated, "run_sandboxed", lambda *_, **__: result_of(**again))
    done = weighbridge(*first)
    assert done.exit_code == code
    assert words in done.stdout
    assert weighbridge(*first, "--quiet").stdout == ""


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (RunCanceled("The run was canceled."), 130, "canceled"),
        (KeyboardInterrupt(), 130, "has no result"),
        (RunFailed("The model failed."), 2, "The model failed."),
    ],
)
def test_a_rerun_without_a_result_says_why(first, monkeypatch, raised, code, words):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr(isolated, "run_sandboxed", fail)
    done = weighbridge(*first)
    assert done.exit_code == code
    assert words in done.stderr
    margin = weighbridge(*first, "--margin", 0)
    assert (margin.exit_code, "above zero" in margin.stderr) == (2, True)


def test_a_repeat_never_goes_behind_fewer_walls(first, monkeypatch):
    written = json.loads(first[1].read_text())
    manifest = seal_manifest(written["manifest"] | {"isolation": Layers(bubblewrap="/usr/bin/bwrap").describe(())})
    first[1].write_text(json.dumps(written | {"manifest": manifest}))
    asked = []
    monkeypatch.setattr(isolated, "run_sandboxed", lambda *_, **__: asked.append(1) or result_of())
    monkeypatch.setattr(isolated, "layers_here", lambda: Layers(bubblewrap=None))
    done = weighbridge(*first)
    assert (done.exit_code, asked) == (2, [])
    assert "must not use a weaker sandbox" in done.stderr
    monkeypatch.setattr(isolated, "layers_here", lambda: Layers(bubblewrap="/usr/bin/bwrap"))
    assert "differs: isolation was bubblewrap without network, own process group" in weighbridge(*first).stdout
    assert asked == [1]


def test_a_file_with_forged_metrics_proves_nothing(first, monkeypatch):
    """A slow result is made to look like the run of today: its manifest, which is all that is sealed, stays whole."""
    written = result_of(first[3], p50=3.0, p95=4.0)
    first[1].write_text(json.dumps(written | {"metrics": result_of()["metrics"]}))
    monkeypatch.setattr(isolated, "run_sandboxed", lambda *_, **__: result_of())
    done = weighbridge(*first)
    assert done.exit_code == 2
    assert done.stdout.count("The first result was changed after it was measured: latency_p") == 2
    assert done.stdout.endswith("answer: cannot tell\n")
