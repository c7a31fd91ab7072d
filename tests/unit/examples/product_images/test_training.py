"""Training: a family learns, what was finished is kept, and time decides how many epochs there are."""

import itertools
import json

import numpy as np
import pytest

from examples.product_images import images, networks
from examples.product_images.training import Task, train_family
from examples.steps import read_record
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

pytestmark = pytest.mark.slow


def quiet(_share, _doing):
    pass


def task_of(fashion, folder, *, family="resnet", epochs=2, seconds=1e6):
    rows = images.load(fashion, images.TRAIN, most=600)
    return Task(family=family, folder=folder, images=rows, epochs=epochs, seconds=seconds, seed=7)


def accuracy(model, fashion) -> float:
    test = images.load(fashion, images.TEST)
    answers = OnnxRuntimeRunner(model, threads=1).infer({"input": test.x})[0].argmax(axis=1)
    return float((answers == test.y).mean())


def test_a_family_learns_and_is_not_taught_twice(fashion, tmp_path) -> None:
    task = task_of(fashion, tmp_path / "resnet", epochs=4)
    heard = []
    record = train_family(task, lambda share, doing: heard.append((share, doing)))
    assert accuracy(task.model, fashion) > 0.5
    assert record["epochs"] == len(record["losses"]) == 4
    assert record["losses"][-1] < record["losses"][0]
    assert record["manifest"]["digest"].startswith("sha256:")
    assert heard[-1][0] == pytest.approx(1.0)
    assert heard[-1][1].startswith("resnet: epoch 4 of 4")
    heard.clear()
    assert train_family(task, lambda share, doing: heard.append((share, doing))) == record
    assert heard == []


@pytest.mark.nightly
def test_another_number_of_epochs_or_a_changed_model_is_another_training(fashion, tmp_path) -> None:
    task = task_of(fashion, tmp_path, epochs=1)
    record = train_family(task, quiet)
    task.model.write_bytes(b"torn")
    again = train_family(task, quiet)
    assert again["digest"] == record["digest"]
    assert train_family(task_of(fashion, tmp_path, epochs=2), quiet)["epochs"] == 2


@pytest.mark.nightly
def test_an_interrupted_training_goes_on_from_its_last_epoch(fashion, tmp_path) -> None:
    task = task_of(fashion, tmp_path, epochs=3)

    def interrupt(_share, doing):
        if "epoch 3" in doing:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_family(task, interrupt)
    heard = []
    resumed = train_family(task, lambda _share, doing: heard.append(doing))
    assert {doing.split(",")[0] for doing in heard} == {"resnet: epoch 3 of 3"}
    whole = train_family(task_of(fashion, tmp_path / "other", epochs=3), quiet)
    assert resumed["losses"] == pytest.approx(whole["losses"])


def test_time_decides_how_many_epochs_and_is_written_down(fashion, tmp_path) -> None:
    """Every look at the clock takes ten seconds: the few rows tried take ten, all 600 more than twice as long."""
    ticks = itertools.count(0, 10)
    task = task_of(fashion, tmp_path, epochs=9, seconds=70)
    record = train_family(task, quiet, clock=lambda: next(ticks))
    pace = json.loads((tmp_path / "pace.json").read_text())
    assert pace["epoch_s"] == pytest.approx(10 * 600 / 256, abs=0.01)
    assert record["epochs"] == pace["epochs"] == int(60 // pace["epoch_s"]) == 2


def test_there_is_always_one_epoch_and_never_more_than_asked_for(fashion, tmp_path) -> None:
    ticks = itertools.count(0, 1_000)
    assert (
        train_family(task_of(fashion, tmp_path / "slow", epochs=3, seconds=1), quiet, clock=lambda: next(ticks))[
            "epochs"
        ]
        == 1
    )
    assert train_family(task_of(fashion, tmp_path / "still", epochs=1), quiet, clock=lambda: 0.0)["epochs"] == 1


def test_a_record_that_cannot_be_read_counts_as_none(tmp_path) -> None:
    for text in ("{", "[]"):
        (tmp_path / "r.json").write_text(text)
        assert read_record(tmp_path / "r.json") == {}


@pytest.mark.parametrize("family", ["mobilenet", "vit"])
def test_the_other_families_are_trained_and_exported_too(
    fashion, tmp_path, monkeypatch, random_weights, family
) -> None:
    monkeypatch.setattr(networks, "weights_path", lambda: random_weights)
    task = task_of(fashion, tmp_path, family=family, epochs=1)
    shares = []
    record = train_family(task, lambda share, _doing: shares.append(share))
    assert record["family"] == family
    assert shares == sorted(shares)
    answers = OnnxRuntimeRunner(task.model, threads=1).infer({"input": np.zeros((3, 1, 28, 28), np.float32)})[0]
    assert answers.shape == (3, 10)
