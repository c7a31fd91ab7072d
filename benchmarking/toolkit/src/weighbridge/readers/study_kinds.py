"""The kinds of studies, which checklists name, too."""

from enum import StrEnum


class StudyKind(StrEnum):
    """The kinds of studies, by what they answer."""

    LOAD_TEST = "load_test"
    HIGHEST_RATE = "highest_rate"
    SWEEP = "sweep"
    LEARNING_CURVE = "learning_curve"
    DECISION_MATRIX = "decision_matrix"
    EXPERIMENT = "experiment"
    DEVICE = "device"
    SCORES = "scores"
    ANSWERS = "answers"

    @property
    def words(self) -> str:
        """The name for readers."""
        return _WORDS[self]


_WORDS = {
    StudyKind.LOAD_TEST: "Load test",
    StudyKind.HIGHEST_RATE: "Highest rate",
    StudyKind.SWEEP: "Sweep",
    StudyKind.LEARNING_CURVE: "Learning curve",
    StudyKind.DECISION_MATRIX: "Decision matrix",
    StudyKind.EXPERIMENT: "A/B test",
    StudyKind.DEVICE: "Measurement on a device",
    StudyKind.SCORES: "Scores of predictions",
    StudyKind.ANSWERS: "Answers of a language model",
}
