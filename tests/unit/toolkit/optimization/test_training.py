"""Training goes on where it was stopped, to the bit; distilling is the loss it says it is; networks come and go as
named.
"""

import copy
import json
import math
import sys

import numpy as np
import pytest
import torch  # noqa: TID253 -- tests build networks
from safetensors.torch import save_file

from tests.unit.toolkit.optimization.conftest import accuracy, learn, untrained
from weighbridge.core.errors import Invalid
from weighbridge.optimization.methods import networks
from weighbridge.optimization.methods.distill import DistilSettings, distillation_loss, distillation_task, scores_of
from weighbridge.optimization.methods.training import TrainingSettings, fit, learning_rate


class StoppedError(Exception):
    pass


def stop_in(epoch: int):
    def say(share, doing):
        if doing.startswith(f"epoch {epoch} ") and share > (epoch - 0.5) / 3:
            raise StoppedError

    return say


def same(first, second) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_an_interrupted_training_ends_with_the_same_weights_to_the_bit(digits, trained, tmp_path, epoch):
    network, checkpoint = untrained(), tmp_path / "c" / "checkpoint.safetensors"
    with pytest.raises(StoppedError):
        learn(network, digits.train, checkpoint=checkpoint, say=stop_in(epoch))
    assert checkpoint.exists() is (epoch > 1)
    again, said = untrained(), []
    losses = learn(again, digits.train, checkpoint=checkpoint, say=lambda _, doing: said.append(doing))
    assert said[0].startswith(f"epoch {epoch} of 3")
    assert same(again, trained)
    assert not again.training
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 3
    # And once it is done, nothing is done again.
    assert learn(untrained(), digits.train, checkpoint=checkpoint, say=lambda *_: pytest.fail("trained")) == losses


def test_another_task_is_not_continued(digits, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    learn(untrained(), digits.train, epochs=1, checkpoint=checkpoint, key={"task": 1})
    said = []
    learn(
        untrained(),
        digits.train,
        epochs=1,
        checkpoint=checkpoint,
        key={"task": 2},
        say=lambda _, doing: said.append(doing),
    )
    assert said


@pytest.mark.parametrize("content", [b"", b"\x10\x00\x00\x00\x00\x00\x00\x00{broken", b"pickled"])
def test_a_torn_checkpoint_is_as_good_as_none(digits, tmp_path, content):
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(content)
    assert len(learn(untrained(), digits.train, epochs=1, checkpoint=checkpoint)) == 1


def test_a_file_of_others_is_left_alone(digits, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    save_file({"a": torch.zeros(1)}, str(checkpoint))
    assert len(learn(untrained(), digits.train, epochs=1, checkpoint=checkpoint)) == 1


def test_a_checkpoint_is_plain_tensors_with_json_in_its_header(digits, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    losses = learn(untrained(), digits.train, epochs=1, checkpoint=checkpoint)
    raw = checkpoint.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["weighbridge"])["losses"] == losses
    assert {"network.0.weight", "adam.0.exp_avg", "adam.0.exp_avg_sq", "adam.0.step"} < header.keys()


def test_the_callers_own_randomness_is_left_as_it_was(digits):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    learn(untrained(), digits.train, epochs=1)
    torch.manual_seed(7)
    assert torch.equal(torch.rand(3), expected)


def test_the_learning_rate_falls_along_half_a_cosine():
    settings = TrainingSettings(learning_rate=1.0)
    assert [round(learning_rate(settings, share), 6) for share in (0.0, 0.5, 1.0)] == [1.0, 0.505, 0.01]


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"batch": 0}, {"learning_rate": 0.0}])
def test_settings_that_cannot_train_are_refused(settings):
    with pytest.raises(Invalid):
        TrainingSettings(**settings)


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"alpha": -0.1}, {"alpha": 1.1}])
def test_settings_that_cannot_distil_are_refused(settings):
    with pytest.raises(Invalid):
        DistilSettings(**settings)


def softmax(scores, temperature=1.0):
    powers = [math.exp(score / temperature) for score in scores]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 0.0), (4.0, 0.7), (2.0, 1.0)])
def test_the_loss_is_the_one_worked_by_hand(temperature, alpha):
    student, teacher, labels = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]], [[2.0, 1.0, 0.0], [0.5, 0.5, 4.0]], [1, 2]
    expected = 0.0
    for mine, theirs, label in zip(student, teacher, labels, strict=True):
        p, q = softmax(theirs, temperature), softmax(mine, temperature)
        soft = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
        expected += (alpha * temperature**2 * soft - (1 - alpha) * math.log(softmax(mine)[label])) / 2
    settings = DistilSettings(temperature=temperature, alpha=alpha)
    loss = distillation_loss(torch.tensor(student), torch.tensor(teacher), torch.tensor(labels), settings=settings)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_without_the_teacher_it_is_plain_cross_entropy():
    torch.manual_seed(0)
    student, teacher, labels = torch.randn(20, 5), torch.randn(20, 5), torch.randint(0, 5, (20,))
    loss = distillation_loss(student, teacher, labels, settings=DistilSettings(temperature=1.0, alpha=0.0))
    assert torch.equal(loss, torch.nn.functional.cross_entropy(student, labels))


def test_a_student_comes_to_answer_like_its_teacher(trained, digits):
    x, labels = torch.from_numpy(digits.train.x), torch.from_numpy(digits.train.y)
    said = []
    scores = scores_of(trained, x, on_progress=lambda share, doing: said.append(doing))
    assert scores.shape == (1_297, 10)
    assert set(said) == {"computing the teacher's scores"}
    student = untrained(channels=6, seed=1)
    # With the teacher alone: it never sees a label.
    task = distillation_task(student, scores, x, labels, settings=DistilSettings(alpha=1.0), key={})
    fit(
        student,
        task,
        settings=TrainingSettings(epochs=6, learning_rate=3e-3),
        checkpoint=None,
        on_progress=lambda *_: None,
    )
    assert accuracy(student, digits.test) > 0.85
    assert networks.parameters(student) < 0.3 * networks.parameters(trained)


def test_a_student_of_other_classes_is_refused(trained, digits):
    x, labels = torch.from_numpy(digits.train.x), torch.from_numpy(digits.train.y)
    with pytest.raises(Invalid, match=r"student scores \(10,\) classes and the teacher \(7,\)"):
        distillation_task(trained, torch.zeros(len(x), 7), x, labels, settings=DistilSettings(), key={})


@pytest.fixture
def factories(tmp_path, monkeypatch):
    (tmp_path / "own_networks.py").write_text(
        "import torch\n"
        "def good(): return torch.nn.Linear(2, 3).train()\n"
        "def none(): return None\n"
        "def broken(): raise KeyError('weights')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    yield
    sys.modules.pop("own_networks", None)


def test_a_factory_beside_the_person_is_called(factories):
    for _ in range(2):
        network = networks.built("own_networks:good")
        assert (network.out_features, network.training) == (3, False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own_networks", "is not a factory; write package.module:factory"),
        (":good", "is not a factory"),
        ("own_networks:none", "returned a NoneType; it must return a torch.nn.Module"),
        ("own_networks:broken", "cannot be called: KeyError: 'weights'"),
        ("own_networks:absent", "cannot be called: AttributeError"),
        ("no_such_module:good", "cannot be called: ModuleNotFoundError"),
    ],
)
def test_a_factory_that_gives_no_network_is_refused(factories, name, said):
    with pytest.raises(Invalid) as refused:
        networks.built(name)
    assert said in refused.value.reason
    assert refused.value.code == "factory"


def test_a_network_that_onnx_cannot_say_is_refused(tmp_path):
    class Odd(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.lu(x)[0]

    with pytest.raises(Invalid, match="cannot be written as ONNX") as refused:
        networks.export(Odd(), tmp_path / "odd.onnx", example=np.zeros((1, 2, 2), dtype=np.float32))
    assert refused.value.code == "export"


def test_the_digest_of_weights_changes_with_any_of_them():
    network = untrained()
    other = copy.deepcopy(network)
    assert networks.digest_of_weights(network) == networks.digest_of_weights(other)
    with torch.no_grad():
        other[1].running_mean[0] += 1
    assert networks.digest_of_weights(network) != networks.digest_of_weights(other)
