"""Generate the page of models from docs/reference/models.json, which `make models` writes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config import env
from config.reference.tables import page, table

RESULTS = env.ROOT / "docs" / "reference" / "models.json"
COMMANDS = ("profile", "quality", "optimize", "compare", "device", "CUDA", "TensorRT")
HEAD = """\
Real models that packages of PyPI ship, each measured by `make models` with every command of the toolkit. *Works* means
that the command gave its answer, and for quality that it gave the known one: the truth is the model's own answers, of
which every tenth was changed. `device` is a headless browser, whose answers must agree with those of ONNX Runtime on
the same machine; `tests/contracts/test_models.py` measures some of the cells again. A number refers to a refusal or a
reason below the table. What a person has to state for each model is in `tests/models/catalog.yaml`."""
ANSWERS = frozenset(("works", "refused", "not applicable", "not run"))
NO_CARD = {"answer": "not run", "reason": "There was no graphics card."}
NOT_RUN = {
    "device": {"answer": "not run", "reason": "There was no browser."},
    "CUDA": NO_CARD,
    "TensorRT": NO_CARD,
}
UNKNOWN = {"answer": "not run", "reason": "It was not measured."}


def models(results: Path = RESULTS) -> str:
    """The page text. Raises ValueError for an answer of another kind."""
    stored: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))
    reasons = list(dict.fromkeys(cell["reason"] for model in stored for cell in _cells(model) if cell.get("reason")))
    rows = ((model["name"], model["kind"], *(_text(cell, reasons) for cell in _cells(model))) for model in stored)
    notes = "\n".join(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))
    return page("Models", HEAD, table(("Model", "Kind", *COMMANDS), rows), "## Reasons", notes)


def _cells(model: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return [model["cells"].get(command, NOT_RUN.get(command, UNKNOWN)) for command in COMMANDS]


def _text(cell: Mapping[str, str], reasons: Sequence[str]) -> str:
    if cell["answer"] not in ANSWERS:
        raise ValueError(f"{cell['answer']} is no answer of a cell")
    number = f" ({reasons.index(cell['reason']) + 1})" if cell.get("reason") else ""
    return f"{cell['answer']}{number}"
