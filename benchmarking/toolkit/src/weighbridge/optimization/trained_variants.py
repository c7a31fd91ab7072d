"""Variants of a PyTorch network that need training (pruned networks and students), for a series of trials.

They run in the caller's process, because the user chose the network's code. The result is an ONNX file, which is
measured in the sandbox like any other.
"""

import copy
import dataclasses
from pathlib import Path
from typing import Any

from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.measure.stopping import Progress
from weighbridge.optimization.methods.distill import DistilSettings, distillation_task, scores_of
from weighbridge.optimization.methods.networks import digest_of_array, digest_of_weights, export, parameters
from weighbridge.optimization.methods.prune import PruneSettings, pruned
from weighbridge.optimization.methods.training import TrainingSettings, TrainingTask, fit
from weighbridge.optimization.trial import Variant
from weighbridge.optimization.variant_sandbox import Follow
from weighbridge.systems.sandbox.process import RunCanceled

# The share of the progress at which the teacher has answered.
ASKED = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingInputs:
    """Common inputs of trained variants: the trained network, the rows, the settings and the checkpoint folder."""

    network: Any
    rows: DataSet
    training: TrainingSettings
    checkpoints: Path

    def key(self) -> dict[str, Any]:
        """Return everything that determines the outcome of a training."""
        rows = {name: digest_of_array(getattr(self.rows, name)) for name in ("x", "y")}
        return {"network": digest_of_weights(self.network), "rows": rows, "training": dataclasses.asdict(self.training)}

    def tensors(self) -> tuple[Any, Any]:
        """Return the rows and their classes as tensors."""
        torch = import_extra("torch")

        return torch.from_numpy(self.rows.x), torch.from_numpy(self.rows.truth)


def pruned_variant(inputs: TrainingInputs, settings: PruneSettings) -> Variant:
    """Return the variant without the least important channels, retrained on the labels."""
    name = f"pruned-{round(settings.amount * 100)}"
    key = {**inputs.key(), "prune": dataclasses.asdict(settings)}

    def make(path: Path, follow: Follow) -> None:
        functional = import_extra("torch.nn.functional")

        x, labels = inputs.tensors()
        network = pruned(inputs.network, x[:2], settings=settings)
        task = TrainingTask(x=x, loss=lambda scores, rows: functional.cross_entropy(scores, labels[rows]), key=key)
        _train(inputs, network, task, name, _stoppable(follow))
        export(network, path, example=inputs.rows.x[:1])

    words = f"structured pruning ({settings.amount:.0%} of the channels by {settings.score.value}, {_trained(inputs)})"
    return Variant(name=name, family="pruned", made_by=words, key=key, make=make)


def student_variant(
    inputs: TrainingInputs, student: Any, settings: DistilSettings, *, name: str = "student"
) -> Variant:
    """Return the variant in which a student network learns from the trained network."""
    key = {**inputs.key(), "distil": dataclasses.asdict(settings), "student": digest_of_weights(student)}

    def make(path: Path, follow: Follow) -> None:
        say = _stoppable(follow)
        x, labels = inputs.tensors()
        scores = scores_of(inputs.network, x, on_progress=lambda share, doing: say(min(share, 1.0) * ASKED, doing))
        learner = copy.deepcopy(student)
        task = distillation_task(learner, scores, x, labels, settings=settings, key=key)
        _train(inputs, learner, task, name, lambda share, doing: say(ASKED + share * (1 - ASKED), doing))
        export(learner, path, example=inputs.rows.x[:1])

    size = parameters(student) / max(1, parameters(inputs.network))
    words = (
        f"knowledge distillation (a student of {size:.0%} of the parameters, temperature {settings.temperature:g}, "
        f"alpha {settings.alpha:g}, {_trained(inputs)})"
    )
    return Variant(name=name, family="student", made_by=words, key=key, make=make)


def _trained(inputs: TrainingInputs) -> str:
    return f"{inputs.training.epochs} epochs on {len(inputs.rows):,} rows"


def _train(inputs: TrainingInputs, network: Any, task: TrainingTask, name: str, say: Progress) -> None:
    checkpoint = inputs.checkpoints / f"{name}.safetensors"
    fit(network, task, settings=inputs.training, checkpoint=checkpoint, on_progress=say)


def _stoppable(follow: Follow) -> Progress:
    """Return a function that reports progress, and raises RunCanceled if the training should stop."""
    on_progress, should_stop = follow

    def say(share: float, doing: str) -> None:
        on_progress(share, doing)
        if should_stop():
            raise RunCanceled("The training was canceled.")

    return say
