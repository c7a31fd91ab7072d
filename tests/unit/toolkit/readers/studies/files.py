"""Studies that the toolkit wrote, and changed copies of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from weighbridge.readers.studies.registry import read_study
from weighbridge.readers.studies.study import Study

SAMPLES = Path(__file__).parent / "samples"
KINDS = {
    "load_test": "load_test",
    "chat_load": "load_test",
    "load_search": "highest_rate",
    "max_rate": "highest_rate",
    "sweep": "sweep",
    "learning_curve": "learning_curve",
    "decision_matrix": "decision_matrix",
    "experiment": "experiment",
    "device": "device",
    "scores": "scores",
    "answers": "answers",
}
"""The kind of each sample."""


def study_in(path: Path) -> Study:
    """Read a file that must be a study."""
    study = read_study(path)
    assert study is not None
    return study


def sample(name: str) -> Study:
    """Read a sample."""
    return study_in(SAMPLES / f"{name}.json")


def document_of(name: str) -> dict[str, Any]:
    """Return the document of a sample."""
    document: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return document


def changed(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> Study:
    """Read a copy of a sample after a change of its document."""
    document = document_of(name)
    change(document)
    path = folder / "changed.json"
    path.write_text(json.dumps(document))
    return study_in(path)


def conclusions(study: Study) -> tuple[str, ...]:
    """Return what a study concludes."""
    return study.summary.conclusions


def details(study: Study) -> dict[str, str]:
    """Return the details of a study."""
    return {each.label: each.value for each in study.summary.details}


def doubts(study: Study) -> tuple[str, list[str]]:
    """Return the status, and the messages."""
    verdict = study.result.verdict
    return verdict.status.value, [doubt.message for doubt in verdict.doubts]
