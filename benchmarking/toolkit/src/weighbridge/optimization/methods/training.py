"""Training: a loop over epochs that can be stopped after any epoch and resumed with the same result.

Each epoch has its own seed for its order and for random layers (dropout), so that the weights do not depend on where a
run was interrupted. A checkpoint is one safetensors file with JSON in its header; nothing is pickled.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.measure.stopping import Progress

KEY = "weighbridge"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Epochs, batch size, learning rate and seed; Adam's learning rate falls along half a cosine to one hundredth."""

    epochs: int = 3
    batch: int = 64
    learning_rate: float = 1e-3
    seed: int = 20_260_101

    def __post_init__(self) -> None:
        """Refuse invalid settings."""
        if self.epochs < 1 or self.batch < 1:
            raise Invalid("Train for at least one epoch, on batches of at least one row.", field="epochs")
        if self.learning_rate <= 0:
            raise Invalid("The learning rate must be positive.", field="learning_rate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """Rows `x` (a tensor, shape (rows, ...)), and `loss(answers, rows)` for the rows of these indices.

    `key` identifies the task, so that no checkpoint of another one is resumed.
    """

    x: Any
    loss: Callable[[Any, Any], Any]
    key: dict[str, Any]


def fit(
    network: Any, task: TrainingTask, *, settings: TrainingSettings, checkpoint: Path | None, on_progress: Progress
) -> list[float]:
    """Train a network in place and return the mean loss of each epoch; the network ends in evaluation mode.

    `on_progress(share, doing)` is called after every batch and may raise to stop; the last complete epoch is in
    `checkpoint`, and the same call resumes from there.
    """
    torch = import_extra("torch")

    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    key = digest_of({**task.key, **dataclasses.asdict(settings), "parameters": _shapes(network)})
    losses = _resume(network, optimizer, checkpoint, key) if checkpoint is not None else []
    network.train()
    with torch.random.fork_rng(devices=[]):
        for epoch in range(len(losses), settings.epochs):
            torch.manual_seed(settings.seed + epoch)
            losses.append(_epoch(network, optimizer, task, settings, epoch, on_progress))
            if checkpoint is not None:
                _keep(network, optimizer, checkpoint, key, losses)
    network.eval()
    return losses


def _epoch(
    network: Any, optimizer: Any, task: TrainingTask, settings: TrainingSettings, epoch: int, on_progress: Progress
) -> float:
    torch = import_extra("torch")

    rows = len(task.x)
    total, seen = 0.0, 0
    for batch in torch.randperm(rows).split(settings.batch):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(settings, (epoch + seen / rows) / settings.epochs)
        loss = task.loss(network(task.x[batch]), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, seen = total + float(loss.detach()) * len(batch), seen + len(batch)
        doing = f"epoch {epoch + 1} of {settings.epochs}, loss {total / seen:.3f}"
        on_progress((epoch + seen / rows) / settings.epochs, doing)
    return total / rows


def learning_rate(settings: TrainingSettings, share: float) -> float:
    """Return the learning rate at a share (0 to 1) of the training: half a cosine, down to one hundredth."""
    low = settings.learning_rate / 100
    return low + (settings.learning_rate - low) * (1 + math.cos(math.pi * share)) / 2


def _shapes(network: Any) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def _keep(network: Any, optimizer: Any, path: Path, key: str, losses: list[float]) -> None:
    save_file = import_extra("safetensors.torch").save_file

    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": tensor for name, tensor in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(copies, str(part), metadata={KEY: json.dumps({"key": key, "losses": losses})})
    part.replace(path)


def _resume(network: Any, optimizer: Any, path: Path, key: str) -> list[float]:
    """Load weights and optimizer from a checkpoint of this task; return its losses, empty if there is none."""
    safetensors = import_extra("safetensors")

    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            header = parse_object((file.metadata() or {}).get(KEY, "{}"))
            if header.get("key") != key:
                return []
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    except (OSError, Invalid, safetensors.SafetensorError):
        return []
    network.load_state_dict(_under(tensors, "network."))
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in _under(tensors, "adam.").items():
        index, _, what = name.partition(".")
        state.setdefault(int(index), {})[what] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    losses: list[float] = header["losses"]
    return losses


def _under(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
