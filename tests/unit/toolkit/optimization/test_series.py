"""A series from what a person asked for to the candidates file: kept, resumed, interrupted, refused."""

import dataclasses
import io
import json
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.unit.toolkit import builders
from tests.unit.toolkit.optimization.conftest import untrained
from weighbridge.cli import app as cli
from weighbridge.cli.tables.terminal import show
from weighbridge.cli.tables.variant_table import candidates_parts, conclusion
from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import BlockSettings
from weighbridge.measure.scenarios import ProfileSettings, SingleStream, WarmUp
from weighbridge.optimization import series, trial
from weighbridge.optimization.comparison import VariantComparisonSettings
from weighbridge.optimization.methods.distill import DistilSettings
from weighbridge.optimization.methods.prune import UNSTRUCTURED, PruneSettings
from weighbridge.optimization.methods.training import TrainingSettings
from weighbridge.optimization.plan import OptimizationChoice, TrainedVariants, of_file, of_network
from weighbridge.optimization.recipes import NO_HALF, RECIPES
from weighbridge.optimization.trial import TrialSettings
from weighbridge.optimization.variant_sandbox import VariantSandbox
from weighbridge.systems.sandbox.process import RunCanceled
from weighbridge.tradeoff.candidates import (
    Candidate,
    Candidates,
    Estimate,
    QualityDrop,
    SpeedUp,
    VariantAnswer,
    VariantVerdict,
    candidates_from,
    read_candidates,
)

pytestmark = pytest.mark.slow

WARMUP = WarmUp(values=10, value_ms=0.0, max_duration_s=0.1)
SETTINGS = TrialSettings(
    profile=ProfileSettings(scenario=SingleStream(min_samples=150, min_duration_s=0.0, warmup=WARMUP), bootstraps=100),
    comparison=VariantComparisonSettings(margin=0.05, blocks=BlockSettings(rounds=6, block_ms=1.0, warmup=WARMUP)),
)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def choice(folder, *only):
    return OptimizationChoice(folder=folder, only=only, calibrate=100, settings=SETTINGS)


def go(planned, *, should_stop=lambda: False, say=lambda *_: None):
    kept = []
    found = series.run(planned, follow=(say, should_stop), now=lambda: NOON, keep=kept.append)
    return found, kept


def through_json(found):
    return candidates_from(json.loads(json.dumps(found.as_document())))


def test_a_file_goes_the_whole_way(model, files, tmp_path):
    planned = of_file(
        model, files / "test.npz", calibration=None, choice=choice(tmp_path / "out", "int8-static-per-channel")
    )
    said = []
    found, kept = go(planned, say=lambda share, doing: said.append((share, doing)))
    baseline, variant = found.candidates
    assert (baseline.name, baseline.verdict.answer, baseline.file) == ("fp32", VariantAnswer.BASELINE, None)
    assert baseline.metrics["accuracy"].n == 400
    assert variant.made_by == "static INT8 (QDQ, per channel, MinMax over 100 rows)"
    assert (variant.file, variant.family) == ("variants/int8-static-per-channel.onnx", "digits")
    assert variant.size_saved_ratio > 2 / 3
    assert variant.quality_drop.n == 400
    assert variant.verdict.answer in (VariantAnswer.WORTH_IT, VariantAnswer.COSTS_QUALITY, VariantAnswer.SLOWER)
    assert (found.is_partial, [each.is_partial for each in kept], [len(each.candidates) for each in kept]) == (
        False,
        [True, False],
        [1, 2],
    )
    assert found.noise_floor > 0
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert through_json(found).named(variant.name).verdict == variant.verdict
    result = json.loads((tmp_path / "out" / variant.result_file).read_text())
    assert result["manifest"]["model"]["digest"] == variant.digest


@pytest.fixture
def measured(monkeypatch):
    """The names of the models that are profiled from now on."""
    names, profile = [], trial.run_isolated

    def counted(**given):
        names.append(given["model"].stem)
        return profile(**given)

    monkeypatch.setattr(trial, "run_isolated", counted)
    return names


def test_what_was_finished_is_not_done_again_and_what_changed_is(model, files, tmp_path, measured):
    def planned(**changes):
        wanted = dataclasses.replace(choice(tmp_path, "graph-optimized"), **changes)
        return of_file(model, files / "test.npz", calibration=files / "train.npz", choice=wanted)

    first, _ = go(planned())
    assert measured == ["digits", "graph-optimized"]
    again, _ = go(planned())
    assert again.candidates == through_json(first).candidates
    assert measured == ["digits", "graph-optimized"]
    # A variant that somebody changed, a record that is torn, other conditions: done again.
    (tmp_path / "variants/graph-optimized.onnx").write_bytes(b"changed")
    go(planned())
    assert measured[2:] == ["graph-optimized"]
    (tmp_path / "variants/fp32.record.json").write_text("{")
    go(planned())
    assert measured[3:] == ["digits"]
    go(planned(seed=5, only=("fp16",)))
    assert measured[4:] == ["digits"]


def four_classes(path):
    """240 rows, no two alike, whose largest number names the class."""
    x = np.eye(4, dtype=np.float32).repeat(60, axis=0) + np.linspace(0, 0.5, 240, dtype=np.float32)[:, None]
    np.savez(path, x=x, y=np.arange(4).repeat(60))


def test_a_variant_that_cannot_be_made_is_a_candidate_that_failed(files, tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 4])
    four_classes(tmp_path / "d.npz")
    found, _kept = go(
        of_file(model, tmp_path / "d.npz", calibration=None, choice=choice(tmp_path / "out", "int8-dynamic"))
    )
    failed = found.named("int8-dynamic")
    assert (failed.verdict.answer, failed.metrics, failed.file) == (VariantAnswer.FAILED, {}, None)
    assert [reason.code for reason in failed.verdict.reasons] == ["nothing_to_quantize"]
    assert not found.is_partial
    # It is tried again the next time.
    assert not (tmp_path / "out/variants/int8-dynamic.record.json").exists()


def test_a_canceled_series_keeps_what_it_has(model, files, tmp_path):
    planned = of_file(model, files / "test.npz", calibration=None, choice=choice(tmp_path, "graph-optimized"))
    kept = []

    def keep(found):
        kept.append(found)

    with pytest.raises(RunCanceled):
        series.run(planned, follow=(lambda *_: None, lambda: bool(kept)), now=lambda: NOON, keep=keep)
    assert [(each.is_partial, len(each.candidates)) for each in kept] == [(True, 1)]


def test_a_network_is_pruned_and_taught_and_measured(trained, digits, tmp_path):
    wanted = TrainedVariants(
        prune=(PruneSettings(amount=0.5),),
        student=untrained(channels=8, seed=1),
        distil=DistilSettings(alpha=0.5),
        training=TrainingSettings(epochs=2, learning_rate=3e-3),
    )
    planned = of_network(
        trained, digits.train, digits.test, wanted=wanted, choice=choice(tmp_path, "fp16"), family="digits"
    )
    assert planned.left_out == (NO_HALF, UNSTRUCTURED)
    said = []
    found, _ = go(planned, say=lambda _, doing: said.append(doing))
    pruned, student = found.named("pruned-50"), found.named("student")
    assert pruned.made_by == "structured pruning (50% of the channels by l1, 2 epochs on 1,297 rows)"
    assert student.made_by == (
        "knowledge distillation (a student of 30% of the parameters, temperature 4, alpha 0.5, 2 epochs on 1,297 rows)"
    )
    assert pruned.size_saved_ratio > 0.6
    assert student.size_saved_ratio > 0.6
    assert min(pruned.metrics["accuracy"].value, student.metrics["accuracy"].value) > 0.8
    assert {"student: computing the teacher's scores", "pruned-50: epoch 2 of 2, loss "} < {
        doing[:30] for doing in said
    } | set(said)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "pruned-50.safetensors",
        "student.safetensors",
    ]


def test_a_training_is_canceled(trained, digits, tmp_path):
    wanted = TrainedVariants(prune=(PruneSettings(),))
    planned = of_network(
        trained, digits.train, digits.test, wanted=wanted, choice=choice(tmp_path, "fp16"), family="digits"
    )
    said = []
    with pytest.raises(RunCanceled, match="training was canceled"):
        go(
            planned,
            say=lambda _, doing: said.append(doing),
            should_stop=lambda: any("epoch" in doing for doing in said),
        )


def test_without_training_there_is_nothing_to_say_of_pruning(trained, digits, tmp_path):
    planned = of_network(
        trained,
        digits.train,
        digits.test,
        wanted=TrainedVariants(),
        choice=choice(tmp_path, "int8-dynamic"),
        family="digits",
    )
    assert (planned.left_out, [variant.name for variant in planned.variants]) == ((), ["int8-dynamic"])


def test_a_missing_model_and_a_folder_that_is_none_are_refused(model, files, tmp_path):
    with pytest.raises(Invalid, match=r"model file none\.onnx does not exist"):
        of_file(tmp_path / "none.onnx", files / "test.npz", calibration=None, choice=choice(tmp_path))
    (tmp_path / "taken").write_text("")
    with pytest.raises(Invalid, match="Choose another folder"):
        of_file(model, files / "test.npz", calibration=None, choice=choice(tmp_path / "taken"))


def test_numbers_instead_of_classes_are_refused_before_anything_is_made(model, digits, tmp_path):
    np.savez(tmp_path / "d.npz", x=digits.test.x, y=digits.test.y.astype(np.float64))
    with pytest.raises(Invalid, match="y contains no class numbers"):
        of_file(model, tmp_path / "d.npz", calibration=None, choice=choice(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_one_number_of_threads_holds_for_both_measurements():
    with pytest.raises(Invalid, match="same number of threads"):
        TrialSettings(comparison=VariantComparisonSettings(threads=2))


def candidate(name, answer, speed=None, size=None):
    made = SpeedUp(speed, speed, speed, 0.95, 16, is_tied=False) if speed else None
    return Candidate(
        name=name,
        family="f",
        made_by="m",
        metrics={},
        verdict=VariantVerdict(answer),
        speed_up=made,
        size_saved_ratio=size,
    )


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ([], "No variant is worth it: keep fp32."),
        ([candidate("a", VariantAnswer.SLOWER, 0.5, 0.7)], "No variant is worth it: keep fp32."),
        (
            [candidate("a", VariantAnswer.WORTH_IT, 1.5, 0.7), candidate("b", VariantAnswer.WORTH_IT, 2.0, 0.6)],
            "Take b: 2.00 times as fast, 60% smaller.",
        ),
        (
            [candidate("a", VariantAnswer.WORTH_IT, 2.0, 0.7), candidate("b", VariantAnswer.WORTH_IT, 2.0, 0.6)],
            "Take a: 2.00 times as fast, 70% smaller. Possibly as fast: b.",
        ),
        ([candidate("a", VariantAnswer.WORTH_IT, None, 0.7)], "Take a: speed unknown, 70% smaller."),
        ([candidate("a", VariantAnswer.WORTH_IT, 1.5, None)], "Take a: 1.50 times as fast."),
    ],
)
def test_one_line_concludes(variants, said):
    found = Candidates(
        measured_at="", baseline="fp32", candidates=(candidate("fp32", VariantAnswer.BASELINE), *variants)
    )
    assert conclusion(found) == said


def test_the_table_fits_into_eighty_columns_with_every_name_and_verdict_whole():
    estimates = {
        name: Estimate(0.82431, None, None, None, 1, "1") for name in ("accuracy", "latency_p50_ms", "model_size_mb")
    }
    drop = QualityDrop("accuracy", 0.0011, -0.0008, 0.0029, 0.95, 9_488, 0.01, is_non_inferior=True)
    tried = [
        dataclasses.replace(
            candidate(recipe.name, VariantAnswer.COSTS_QUALITY, 12.34), metrics=estimates, quality_drop=drop
        )
        for recipe in RECIPES
    ]
    tied = dataclasses.replace(tried[0], name="tied-one", speed_up=SpeedUp(1.0, 0.9, 1.1, 0.95, 16, is_tied=True))
    stream = io.StringIO()
    all_of_them = (candidate("fp32", VariantAnswer.BASELINE), *tried, tied)
    show(candidates_parts(Candidates(measured_at="", baseline="fp32", candidates=all_of_them)), stream)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    for recipe in RECIPES:
        assert [recipe.name, "costs", "quality", "12.34", "0.11", "0.8243", "0.8243", "0.8243"] in lines
    assert ["tied-one", "costs", "quality", "tied", "0.11", "0.8243", "0.8243", "0.8243"] in lines
    assert ["fp32", "baseline"] in lines


@pytest.fixture
def quick(monkeypatch):
    """Let the command measure with settings that are over at once."""
    from weighbridge.api import optimizing

    monkeypatch.setattr(optimizing, "_settings", lambda *_: SETTINGS)


def weighbridge(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_writes_the_candidates(quick, model, files, tmp_path):
    done = weighbridge(
        "optimize",
        model,
        "--data",
        files / "test.npz",
        "--calibration",
        files / "train.npz",
        "--calibrate",
        100,
        "--only",
        "int8-static-per-channel",
        "--only",
        "fp16",
        "--margin",
        0.05,
        "--out",
        tmp_path / "out",
        "--json",
        tmp_path / "c.json",
    )
    assert done.exit_code == 0, done.output
    assert "int8-static-per-channel" in done.output
    assert "Loses" in done.output or "Gains" in done.output
    assert "FP16 is not tried" in done.output
    assert done.output.splitlines()[-1].startswith(("Take int8", "No variant"))
    assert read_candidates(tmp_path / "c.json") == read_candidates(tmp_path / "out/candidates.json")
    assert not list(tmp_path.glob("*.part"))
    # Once more, from what is kept, in silence.
    again = weighbridge(
        "optimize",
        model,
        "--data",
        files / "test.npz",
        "--calibration",
        files / "train.npz",
        "--calibrate",
        100,
        "--only",
        "int8-static-per-channel",
        "--only",
        "fp16",
        "--margin",
        0.05,
        "--out",
        tmp_path / "out",
        "--quiet",
    )
    assert (again.exit_code, again.output) == (0, "")


def test_the_command_optimizes_a_network(quick, files, tmp_path, monkeypatch):
    (tmp_path / "digit_networks.py").write_text(
        "from tests.unit.toolkit.optimization.conftest import untrained\n"
        "def whole(): return untrained()\n"
        "def student(): return untrained(channels=4)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    done = weighbridge(
        "optimize",
        "--torch",
        "digit_networks:whole",
        "--data",
        files / "train.npz",
        "--test",
        files / "test.npz",
        "--prune",
        0.5,
        "--distil",
        "digit_networks:student",
        "--epochs",
        1,
        "--only",
        "fp16",
        "--calibrate",
        10,
    )
    assert done.exit_code == 0, done.output
    names = [each.name for each in read_candidates(tmp_path / "network-variants/candidates.json").candidates]
    assert names == ["fp32", "pruned-50", "student"]
    assert "Unstructured pruning" in done.output


def test_the_command_asks_for_one_or_the_other(model, files):
    for given in (
        [],
        [model, "--torch", "a:b"],
        ["--torch", "a:b"],
        [model, "--torch", "a:b", "--test", files / "test.npz"],
    ):
        done = weighbridge("optimize", "--data", files / "test.npz", *given)
        assert done.exit_code == 2
        assert "Give either an ONNX file, or --torch" in done.output


def test_the_command_names_what_is_wrong_with_the_data(model, tmp_path):
    done = weighbridge(
        "optimize", model, "--data", builders.data_set(tmp_path / "d.npz", rows=700), "--out", tmp_path / "out"
    )
    assert done.exit_code == 2
    assert "The array for the input 'input' has the shape (188, 4); the model needs (n, 1, 8, 8)" in done.output


def test_a_series_in_which_nothing_could_be_made_says_no(quick, tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 4])
    four_classes(tmp_path / "d.npz")
    done = weighbridge(
        "optimize",
        model,
        "--data",
        tmp_path / "d.npz",
        "--calibrate",
        10,
        "--only",
        "int8-dynamic",
        "--out",
        tmp_path / "o",
    )
    assert done.exit_code == 1
    assert "There is nothing to quantize" in done.output


def test_an_interrupted_command_leaves_a_partial_result_and_says_so(quick, model, files, tmp_path, monkeypatch):
    def interrupted(*_arguments, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr(VariantSandbox, "make", interrupted)
    done = weighbridge(
        "optimize",
        model,
        "--data",
        files / "test.npz",
        "--calibrate",
        100,
        "--only",
        "graph-optimized",
        "--out",
        tmp_path / "out",
    )
    assert done.exit_code == 130
    assert "Run the same command to continue" in done.output
    found = read_candidates(tmp_path / "out/candidates.json")
    assert (found.is_partial, len(found.candidates)) == (True, 1)
