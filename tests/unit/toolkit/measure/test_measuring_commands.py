"""`profile`, `sweep` and `max-rate` at the terminal: what they ask for, print, write, and end with."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tests.unit.toolkit import builders
from weighbridge.cli import app as cli
from weighbridge.cli import target_options
from weighbridge.cli.measure import max_rate as command
from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import MultiStream, Offline, RuntimeSettings, Server, SingleStream
from weighbridge.systems.sandbox import isolated, operators
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

pytestmark = pytest.mark.slow

MANIFEST = {"model": {"digest": "sha256:ab"}, "engine": {"engine": "onnxruntime"}, "digest": "sha256:cd"}


def weighbridge(*arguments):
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, [str(argument) for argument in arguments])


def metric(value, unit="ms"):
    return {"value": value, "lower": value, "upper": value, "confidence": 0.95, "n": 700, "unit": unit}


def result(scenario, **changes):
    rate = getattr(scenario, "rate_per_s", 1.0)
    return {
        "scenario": scenario.NAME,
        "is_partial": False,
        "verdict": {"status": "valid", "reasons": []},
        "missing": [],
        "metrics": {
            "latency_p50_ms": metric(1.0),
            "throughput_samples_per_s": metric(5.0 * scenario.rows, "1/s"),
            "response_time_p99_ms": metric(1_000 / max(1_000 - rate, 1)),
            "error_rate": metric(0.0, "ratio"),
        },
        "limit": {"is_met": False, "over": 3, "n": 9},
        "manifest": MANIFEST,
        "samples": {"response_ns": [1_000_000] * 200},
        **changes,
    }


@pytest.fixture
def runs(monkeypatch):
    """Answer every run, fenced or open, from its settings; keep what was asked."""
    asked = []

    def use(answer):
        def fenced(_layers, *, settings, **rest):
            return run("fenced", settings, rest)

        def opened(target, *, settings, **rest):
            return run("open", settings, {**rest, "target": target})

        def run(how, settings, rest):
            asked.append((how, settings, rest))
            said = answer(settings.scenario)
            if isinstance(said, BaseException):
                raise said
            return said

        monkeypatch.setattr(isolated, "run_sandboxed", fenced)
        monkeypatch.setattr(isolated, "run_unsandboxed", opened)
        monkeypatch.setattr(operators, "operators_isolated", lambda **_: None)
        return asked

    return use


@pytest.mark.parametrize(
    ("options", "scenario"),
    [
        ((), SingleStream()),
        (("--samples", 900, "--threads", 2), SingleStream(min_samples=900, threads=2)),
        (("--scenario", "multi-stream", "--batch", 4), MultiStream(samples_per_query=4)),
        (("--scenario", "Offline", "--batch", 16, "--concurrency", 2), Offline(batch=16, concurrency=2)),
        (("--scenario", "server", "--rate", 50, "--limit-ms", 9), Server(rate_per_s=50, limit_ms=9)),
    ],
)
def test_the_scenario_is_the_one_asked_for(runs, options, scenario):
    asked = runs(result)
    assert weighbridge("profile", "m.onnx", "--quiet", *options).exit_code == 0
    assert (asked[0][0], asked[0][1].scenario) == ("fenced", scenario)


def test_the_engine_is_set_up_as_asked(runs):
    asked = runs(result)
    options = (
        "--provider",
        "tensorrt",
        "--provider-option",
        "trt_fp16_enable=1",
        "--optimization",
        "basic",
        "--inter-op-threads",
        2,
        "--affinity",
        "0,1",
        "--trust",
        "--tdp-w",
        65,
    )
    assert weighbridge("profile", "m.onnx", "--quiet", *options).exit_code == 0
    how, settings, rest = asked[0]
    wanted = RuntimeSettings(
        provider="tensorrt", options={"trt_fp16_enable": "1"}, optimization="basic", inter_op_threads=2, affinity=(0, 1)
    )
    assert (how, settings.engine, settings.tdp_w) == ("open", wanted, 65)
    assert rest["target"]["options"]["model"].endswith("/m.onnx")


def test_a_module_and_an_endpoint_are_run_openly(runs):
    asked = runs(result)
    module = ("--torch", "a.b:c", "--shape", "n,3,8", "--compile", "--bfloat16")
    assert weighbridge("profile", "--quiet", *module).exit_code == 0
    assert weighbridge("profile", "--quiet", "--http", "http://127.0.0.1/v2/models/m").exit_code == 0
    assert asked[0][2]["target"]["options"] == {
        "factory": "a.b:c",
        "inputs": [{"name": "x", "dtype": "float32", "shape": ["n", 3, 8]}],
        "mode": "compiled",
        "dtype": "bfloat16",
    }
    assert [how for how, _, _ in asked] == ["open", "open"]
    assert asked[1][2]["target"] == {"system": "http", "options": {"url": "http://127.0.0.1/v2/models/m"}}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Give exactly one thing to measure"),
        (("m.onnx", "--http", "http://x"), "Give exactly one thing to measure"),
        (("m.onnx", "--scenario", "fast"), "There is no scenario 'fast'"),
        (("m.onnx", "--provider", "cuda"), "no access to GPUs. If you trust this model, add --trust"),
        (("m.onnx", "--provider", "openvino", "--provider-option", "device_type=GPU"), "no access to GPUs"),
        (("--torch", "a:b", "--shape", "n,4", "--provider", "openvino"), "torch cannot run with the provider openvino"),
        (("m.skops", "--provider", "cuda", "--trust"), "sklearn cannot run with the provider cuda, only with cpu"),
        (("m.pt2", "--provider", "cuda"), "torch-program cannot run with the provider cuda"),
        (("--http", "http://127.0.0.1/v2/models/m", "--provider", "cuda"), "http cannot run with the provider cuda"),
        (("--command", "cat", "--provider", "tensorrt"), "command cannot run with the provider tensorrt"),
        (("--command", "cat", "--threads", 2), "command does not follow --threads: it runs on threads of its own"),
        (("--grpc", "127.0.0.1:9/m", "--optimization", "none"), "grpc does not follow --optimization"),
        (("--http", "http://127.0.0.1/v2/models/m", "--inter-op-threads", 2), "does not follow --inter-op-threads"),
        (("m.skops", "--optimization", "basic"), "sklearn does not follow --optimization: it is a setting of ONNX"),
        (("m.ubj", "--inter-op-threads", 2), "xgboost does not follow --inter-op-threads"),
        (("m.txt", "--optimization", "none"), "lightgbm does not follow --optimization"),
        (("m.pt2", "--optimization", "none"), "torch-program does not follow --optimization"),
        (("--torch", "a:b", "--shape", "n,4", "--inter-op-threads", 2), "torch does not follow --inter-op-threads"),
        (("m.onnx", "--provider", "openvino", "--provider-option", "x"), "NAME=VALUE"),
        (("m.onnx", "--affinity", "a"), "--affinity takes whole numbers"),
        (("model.onnx", "--shape", "n,3"), "declares its inputs"),
        (("model.onnx", "--compile"), "used only with --torch"),
        (("--torch", "a:b", "--shape", "n,,3"), "--shape n,3,224,224"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(runs, options, words):
    asked = runs(result)
    done = weighbridge("profile", "--quiet", *options)
    assert (done.exit_code, words in done.stderr, asked) == (2, True, []), done.stderr


def test_openvino_on_the_processor_needs_no_trust_and_a_module_may_run_on_a_card(runs):
    asked = runs(result)
    assert weighbridge("profile", "m.onnx", "--quiet", "--provider", "openvino").exit_code == 0
    second = ("--provider", "cuda", "--provider-option", "device_id=1")
    assert weighbridge("profile", "--quiet", "--torch", "a.b:c", "--shape", "n,4", *second).exit_code == 0
    assert weighbridge("sweep", "m.onnx", "--quiet", "--batch", "1", "--trust", *second).exit_code == 0
    weighbridge("max-rate", "m.onnx", "--p99-ms", 5, "--within", "1s", "--quiet", "--trust", *second)
    assert [(how, settings.engine.provider, settings.engine.card) for how, settings, _ in asked[:4]] == [
        ("fenced", "openvino", None),
        ("open", "cuda", 1),
        ("open", "cuda", 1),
        ("open", "cuda", 1),
    ]


@pytest.mark.parametrize(("ending", "code"), [(RunCanceled("Stopped."), 130), (RunFailed("Too slow."), 2)])
def test_a_run_that_ends_early_leaves_its_part(runs, tmp_path, ending, code):
    ending.partial = result(SingleStream(), is_partial=True)
    runs(lambda _: ending)
    done = weighbridge("profile", "m.onnx", "--json", tmp_path / "r.json")
    assert done.exit_code == code
    assert "result is partial" in done.stderr
    assert "latency p50" in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["is_partial"] is True
    unwritable = weighbridge("profile", "m.onnx", "--json", tmp_path, "--quiet")
    assert (unwritable.exit_code, "cannot be written" in unwritable.stderr) == (2, True)


def test_a_run_that_has_no_part_says_only_why(runs):
    runs(lambda _: RunFailed("Too slow."))
    assert weighbridge("profile", "m.onnx", "--quiet").stderr == "weighbridge: Too slow.\n"


def test_a_sweep_prints_and_writes_its_points(runs, tmp_path):
    runs(lambda scenario: RunFailed("fixed") if scenario.rows == 2 else result(scenario))
    done = weighbridge("sweep", "m.onnx", "--batch", "1,2,8", "--concurrency", "1", "--json", tmp_path / "s.json")
    assert done.exit_code == 0
    assert "highest throughput: batch 8 x 1" in done.stdout
    assert "fixed" in done.stdout
    assert len(json.loads((tmp_path / "s.json").read_text())["points"]) == 3


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (lambda _: RunCanceled("x"), 130, "contains the points measured so far"),
        (lambda _: RunFailed("no file"), 2, "no file"),
        (lambda _: KeyboardInterrupt(), 130, "has no result"),
        (lambda scenario: result(scenario, verdict={"status": "invalid", "reasons": []}), 1, ""),
    ],
)
def test_every_end_of_a_sweep_has_its_code(runs, answer, code, words):
    runs(answer)
    done = weighbridge("sweep", "m.onnx", "--batch", "1")
    assert (done.exit_code, words in done.stderr) == (code, True)
    assert weighbridge("sweep", "m.onnx", "--batch", "x", "--quiet").exit_code == 2


def test_the_highest_rate_is_printed_and_written(runs, tmp_path):
    asked = runs(result)
    done = weighbridge("max-rate", "m.onnx", "--p99-ms", 2, "--json", tmp_path / "r.json")
    assert done.exit_code == 0
    assert "highest rate with a response time p99 of at most 2 ms: " in done.stdout
    assert "lower rates meet the limit, higher rates do not." in done.stdout
    assert "limit not met, 3 of 9 above it" in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["highest_rate_per_s"]["value"] == pytest.approx(500, rel=0.05)
    assert {settings.scenario.NAME for _, settings, _ in asked} == {"SingleStream", "Server"}


def test_doubtful_trials_and_limits_that_are_met_are_said(runs):
    doubt = {"status": "invalid", "reasons": [{"code": "generator.lag", "status": "invalid", "message": "Late."}]}
    runs(lambda scenario: result(scenario, verdict=doubt, limit={"is_met": True}))
    said = weighbridge("max-rate", "m.onnx", "--p99-ms", 2).stdout
    assert "limit met" in said
    assert "generator.lag: In 20 trials the measurement was invalid" in said
    assert "note: Answers were not checked" in said


def test_a_limit_of_the_measuring_program_is_refused_with_its_reason(runs, tmp_path):
    crowded = {"code": "environment.threads", "status": "indicative", "message": "8 threads, 2 processors."}
    runs(lambda scenario: result(scenario, verdict={"status": "indicative", "reasons": [crowded]}))
    done = weighbridge("max-rate", "m.onnx", "--p99-ms", 2, "--json", tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    assert (done.exit_code, document["highest_rate_per_s"], document["verdict"]["status"]) == (2, None, "invalid")
    assert "not found" in done.stdout
    assert "8 threads, 2 processors. They wait for each other; use fewer --threads." in done.stdout
    swept = weighbridge("sweep", "m.onnx", "--batch", "1")
    assert (swept.exit_code, "No point measured the model. 8 threads, 2 processors." in swept.stderr) == (2, True)
    assert "highest throughput" not in swept.stdout


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (lambda _: RunCanceled("Stopped."), 130, "Stopped."),
        (lambda _: RunFailed("no file"), 2, "no file"),
        (lambda _: KeyboardInterrupt(), 130, "has no result"),
        (lambda scenario: result(scenario, metrics={}), 2, "could not be timed"),
    ],
)
def test_every_end_of_a_search_has_its_code(runs, answer, code, words):
    runs(answer)
    done = weighbridge("max-rate", "m.onnx", "--p99-ms", 2, "--quiet")
    assert (done.exit_code, words in done.stderr) == (code, True)


def test_a_limit_that_is_never_met_is_a_no(runs):
    runs(result)
    never = weighbridge("max-rate", "m.onnx", "--p99-ms", 0.5)
    assert (never.exit_code, "even the lowest rate in the range missed the limit" in never.stdout) == (1, True)
    silent = weighbridge("max-rate", "m.onnx", "--p99-ms", 0.5, "--quiet")
    assert (silent.exit_code, silent.stdout) == (1, "")
    assert weighbridge("max-rate", "m.onnx", "--p99-ms", 0, "--quiet").exit_code == 2


def test_a_search_whose_time_is_up_prints_and_writes_what_it_knows(runs, monkeypatch, tmp_path):
    asked = runs(result)
    monkeypatch.setattr(command, "time", SimpleNamespace(time=time.time, monotonic=lambda: 10.0 * len(asked)))
    done = weighbridge("max-rate", "m.onnx", "--p99-ms", 2, "--within", "35s", "--json", tmp_path / "r.json")
    # 1,000/s is one over the service time: 250 and 500 meet 2 ms, 1,000 does not, and then the time is up.
    assert (done.exit_code, "Time ran out after 35 s" in done.stderr) == (2, True)
    assert "at least 500, at most 1,000 (3 trials): time ran out." in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["reason"] == "out_of_time"
    assert weighbridge("max-rate", "m.onnx", "--p99-ms", 2, "--within", "0s").exit_code == 2
    assert "90s" in weighbridge("max-rate", "--help").stdout


def test_a_sweep_with_a_real_model(tmp_path):
    model = builders.classifier(tmp_path / "m.onnx")
    done = weighbridge("sweep", model, "--batch", "1,4", "--samples", 200, "--json", tmp_path / "s.json", "--quiet")
    points = json.loads((tmp_path / "s.json").read_text())["points"]
    assert [point["batch"] for point in points] == [1, 4]
    assert done.exit_code == (1 if all(point["status"] == "invalid" for point in points) else 0)


def test_a_shape_may_have_words_for_free_dimensions():
    assert target_options.shape_from("batch, 3,32") == ["batch", 3, 32]
    with pytest.raises(Invalid):
        target_options.numbers_from("1,-2", field="batch")


def test_a_program_file_of_torch_gets_its_inputs_from_the_shapes():
    shapes = ["ids=n,128:int64", "temperature=:float32"]
    target = target_options.target_from(model=Path("m.pt2"), shapes=shapes, data=None, wall_s=60.0)
    assert (target.system, target.model) == ("torch-program", Path("m.pt2"))
    assert target.options == {
        "inputs": [
            {"name": "ids", "dtype": "int64", "shape": ["n", 128]},
            {"name": "temperature", "dtype": "float32", "shape": []},
        ]
    }
    with pytest.raises(Invalid) as refusal:
        target_options.target_from(model=Path("m.onnx"), shapes=shapes, data=None, wall_s=60.0)
    words = "--shape needs a PyTorch module; m.onnx declares its inputs, and --dim states free dimensions."
    assert (refusal.value.reason, refusal.value.field) == (words, "shape")


TABLE = {
    "runs": 9,
    "total_ms": 2.0,
    "by_operator": [{"operator": "Conv", "ms": 1.5, "share": 0.75}],
    "slowest": [{"node": "first", "operator": "Conv", "ms": 1.5, "share": 0.75}],
}


@pytest.mark.parametrize(
    ("answer", "options", "words", "missing"),
    [
        (TABLE, ("m.onnx",), "slowest operators: Conv 75%\n  slowest node: first (Conv), 1.5 of 2 ms", []),
        (None, ("m.onnx",), "reported no operators", ["operators"]),
        (RunFailed("No wall."), ("m.onnx",), "No wall.", ["operators"]),
        (TABLE, ("--http", "http://127.0.0.1/v2/models/m"), "timed only for ONNX files", ["operators"]),
        (TABLE, ("m.onnx", "--no-operators"), "", None),
    ],
)
def test_a_profile_says_where_the_time_goes_or_why_not(runs, monkeypatch, tmp_path, answer, options, words, missing):
    def ask(**_):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    runs(result)
    monkeypatch.setattr(operators, "operators_isolated", ask)
    done = weighbridge("profile", *options, "--json", tmp_path / "r.json")
    written = json.loads((tmp_path / "r.json").read_text())
    assert words in done.stdout + json.dumps(written)
    assert ("operators" in written) is (missing is not None)
    assert [entry["metric"] for entry in written["missing"]] == (missing or [])


def test_who_interrupts_the_operators_keeps_the_rest(runs, monkeypatch, tmp_path):
    def cancel(**rest):
        rest["follow"].on_progress(0.5, "measuring")
        raise RunCanceled("Stopped.")

    runs(result)
    monkeypatch.setattr(operators, "operators_isolated", cancel)
    assert weighbridge("profile", "m.onnx", "--json", tmp_path / "r.json").exit_code == 130
    written = json.loads((tmp_path / "r.json").read_text())
    assert (written["is_partial"], written["operators"]) == (True, None)
