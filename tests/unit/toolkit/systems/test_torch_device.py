"""PyTorch modules on a card that is not there: what is put on it, and when the clock may be read."""

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.standins.graphics_cards import Card, installed
from tests.unit.toolkit.systems.test_torch_module import QUICK, wanted
from weighbridge.core.errors import Invalid
from weighbridge.measure.measurement import measure
from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings
from weighbridge.systems.registry import system_of
from weighbridge.systems.torch_device import device_of
from weighbridge.systems.torch_module import torch_with


@pytest.fixture
def on_card(monkeypatch):
    """Let PyTorch have two cards, whose tensors stay on the processor; return what is done in order of time."""
    torch, done = torch_with(1), []
    cuda, to, cpu, forward = torch.cuda, torch.Tensor.to, torch.Tensor.cpu, torch.nn.Linear.forward

    def moved(self, *places, **named):
        done.extend(("to", place) for place in places if isinstance(place, str) and place != "cpu")
        return to(self, *("cpu" if isinstance(place, str) else place for place in places), **named)

    def note(word, function):
        def noted(*arguments):
            done.append((word,))
            return function(*arguments)

        return noted

    def module_to(self, place):
        done.append(("module", place))
        return self

    monkeypatch.setattr(torch.Tensor, "to", moved)
    monkeypatch.setattr(torch.Tensor, "cpu", note("back", cpu))
    monkeypatch.setattr(torch.nn.Linear, "to", module_to)
    monkeypatch.setattr(torch.nn.Linear, "forward", note("kernels", forward))
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "device_count", lambda: 2)
    monkeypatch.setattr(cuda, "get_device_capability", lambda device: (9, 0) if device == "cuda:1" else (7, 5))
    monkeypatch.setattr(cuda, "synchronize", lambda device: done.append(("synchronize", device)))
    return done


def settings(**options):
    engine = RuntimeSettings(provider="cuda", options={"device_id": "1", **options})
    return ProfileSettings(scenario=QUICK.scenario, engine=engine, bootstraps=100)


@pytest.mark.slow
def test_a_call_ends_when_the_card_has_ended(on_card):
    import torch

    runner = system_of({"system": "torch", "options": wanted()}, settings()).load()
    assert on_card[0] == ("module", "cuda:1")
    on_card.clear()
    answer = runner.infer({"x": np.array([[1, 2, 3, 4]], dtype=np.float32)})
    assert answer[0].tolist() == [[1.0, 2.0, 10.0]]
    assert on_card == [("to", "cuda:1"), ("kernels",), ("synchronize", "cuda:1"), ("back",)]
    said = runner.describe()
    assert (said["device"], said["cuda"], said["float32_matmul_precision"]) == ("cuda:1", torch.version.cuda, "highest")


@pytest.mark.slow
def test_a_module_on_a_card_is_measured_with_the_conditions_of_that_card(on_card, monkeypatch):
    installed([Card(), Card("NVIDIA H100 PCIe", "0000:AF:00.0", 1)], [], monkeypatch)
    result = measure(
        system_of({"system": "torch", "options": wanted()}, settings()),
        settings=settings(),
        data=None,
        on_progress=lambda *_: None,
        now=datetime(2026, 11, 1, tzinfo=UTC),
        isolation="none",
    )
    assert result["manifest"]["gpu"]["card"]["name"] == "NVIDIA H100 PCIe"
    assert result["manifest"]["engine"]["device"] == "cuda:1"
    assert result["metrics"]["gpu_peak_memory_delta_mb"]["value"] == 700.0


def test_bfloat16_needs_a_card_that_has_it(on_card):
    options = wanted(dtype="bfloat16")
    system_of({"system": "torch", "options": options}, settings())
    with pytest.raises(Invalid, match="does not support bfloat16"):
        system_of({"system": "torch", "options": options}, settings(device_id="0"))


def test_a_card_that_pytorch_does_not_have_is_refused(on_card):
    assert device_of(RuntimeSettings()) == "cpu"
    assert device_of(RuntimeSettings(provider="cuda")) == "cuda:0"
    with pytest.raises(Invalid, match=r"PyTorch sees 2 cards, numbered from 0; there is no card 2\."):
        device_of(RuntimeSettings(provider="cuda", options={"device_id": "2"}))
    with pytest.raises(Invalid, match="PyTorch has no option cudnn_conv_algo_search of the provider cuda"):
        device_of(RuntimeSettings(provider="cuda", options={"cudnn_conv_algo_search": "DEFAULT"}))


def test_pytorch_without_cuda_is_not_run_on_the_processor_instead():
    with pytest.raises(Invalid, match="PyTorch cannot use CUDA here") as refusal:
        system_of({"system": "torch", "options": wanted()}, settings())
    assert refusal.value.code == "provider_missing"
