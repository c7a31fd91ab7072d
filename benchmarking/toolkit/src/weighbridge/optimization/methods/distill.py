"""Distillation: train a small network (the student) to answer like a large one (the teacher).

The teacher's scores contain more than the label: which wrong classes are almost right. Hinton, Vinyals and Dean 2015,
"Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
"""

import dataclasses
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.stopping import Progress
from weighbridge.optimization.methods.training import TrainingTask

ANSWER_BATCH = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistilSettings:
    """The softness of the scores (`temperature`), and the teacher's share of the loss (`alpha`, 0 to 1)."""

    temperature: float = 4.0
    alpha: float = 0.7

    def __post_init__(self) -> None:
        """Refuse an invalid temperature or share."""
        if self.temperature <= 0:
            raise Invalid("The temperature must be positive.", field="temperature")
        if not 0 <= self.alpha <= 1:
            raise Invalid("Alpha, the teacher's share of the loss, must be between 0 and 1.", field="alpha")


def distillation_loss(student: Any, teacher: Any, labels: Any, *, settings: DistilSettings) -> Any:
    """Return alpha T^2 KL(teacher || student, both softened by T) + (1 - alpha) cross-entropy with the labels.

    Scores have shape (rows, classes), labels (rows,). T^2 keeps both gradients at the same scale for any T (section 2
    of the paper).
    """
    functional = import_extra("torch.nn.functional")

    warm = settings.temperature
    soft = functional.kl_div(
        functional.log_softmax(student / warm, dim=1),
        functional.log_softmax(teacher / warm, dim=1),
        log_target=True,
        reduction="batchmean",
    )
    hard = functional.cross_entropy(student, labels)
    return settings.alpha * warm**2 * soft + (1 - settings.alpha) * hard


def scores_of(network: Any, x: Any, *, on_progress: Progress) -> Any:
    """Return a network's scores for rows `x`, shape (rows, classes), without training it."""
    torch = import_extra("torch")

    network.eval()
    found = []
    with torch.no_grad():
        for batch in x.split(ANSWER_BATCH):
            found.append(network(batch))
            on_progress(len(found) * ANSWER_BATCH / len(x), "computing the teacher's scores")
    return torch.cat(found)


def distillation_task(
    student: Any, teacher_scores: Any, x: Any, labels: Any, *, settings: DistilSettings, key: dict[str, Any]
) -> TrainingTask:
    """Return the task of a student for `training.fit`; raise Invalid if it has other classes than the teacher."""
    torch = import_extra("torch")

    with torch.no_grad():
        answers = student.eval()(x[:1])
    if answers.shape[1:] != teacher_scores.shape[1:]:
        text = (
            f"The student scores {tuple(answers.shape[1:])} classes and the teacher {tuple(teacher_scores.shape[1:])}."
        )
        raise Invalid(text, code="student", field="distil")

    def loss(scores: Any, rows: Any) -> Any:
        return distillation_loss(scores, teacher_scores[rows], labels[rows], settings=settings)

    return TrainingTask(x=x, loss=loss, key=key)
