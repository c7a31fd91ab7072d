"""The readers of studies by the schema of the document, and `read_study`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from weighbridge.readers.fields import Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult
from weighbridge.readers.opened import Opened
from weighbridge.readers.registry import read_results
from weighbridge.readers.studies.answers import read_answers_study
from weighbridge.readers.studies.decision_matrix import read_decision_matrix
from weighbridge.readers.studies.device import read_device
from weighbridge.readers.studies.experiment import read_experiment
from weighbridge.readers.studies.highest_rate import read_highest_rate
from weighbridge.readers.studies.learning_curve import read_learning_curve
from weighbridge.readers.studies.load_test import read_load_test
from weighbridge.readers.studies.scores import read_scores
from weighbridge.readers.studies.study import Study
from weighbridge.readers.studies.sweep import read_sweep
from weighbridge.readers.tools.weighbridge_results import ANSWERS, LOAD, NAME, PROFILE, SCORES, findings_of

READERS: Mapping[str, Callable[[Fields, Findings], Study]] = {
    LOAD: read_load_test,
    "weighbridge.load_search/1": read_highest_rate,
    "weighbridge.max_rate/1": read_highest_rate,
    "weighbridge.sweep/1": read_sweep,
    "weighbridge.learning-curve/1": read_learning_curve,
    "weighbridge.matrix/1": read_decision_matrix,
    "weighbridge.experiment/1": read_experiment,
    SCORES: read_scores,
    ANSWERS: read_answers_study,
}


def read_study(path: Path) -> Study | None:
    """Return the study in a file of ours; None for a file that is none, or cannot be told.

    Raises Invalid for a damaged document, and for one whose conclusions contradict its own numbers; TooLarge above
    64 MB.
    """
    opened = Opened(path)
    if opened.is_folder:
        return None
    schema = opened.document.get("schema")
    is_device = schema == PROFILE and "device" in opened.document
    reader = read_device if is_device else READERS.get(schema) if isinstance(schema, str) else None
    if reader is None:
        return None
    document = Fields(opened.document, file=opened.name)
    return reader(document, findings_of(opened, document))


def read_file(path: Path, *, tool: str | None = None) -> list[ImportedResult]:
    """Return the results in a file of any tool, a study as one of them; raise as `read_results` and `read_study` do."""
    study = read_study(path) if tool in {None, NAME} else None
    return [study.result] if study is not None else read_results(path, tool=tool)
