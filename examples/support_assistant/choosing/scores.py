"""Scores: the answers of each candidate by the scorers of the tickets, and every two candidates ticket by ticket."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import weighbridge
from examples.support_assistant.settings import DOUBLES
from weighbridge.core.metrics.basis import Basis
from weighbridge.quality.prompts.answer_file import read_answers
from weighbridge.quality.prompts.attempts import attempts_of
from weighbridge.quality.prompts.outcomes import Outcome, Scoring
from weighbridge.quality.prompts.prompt_file import read_prompts

# A difference of pass rates below this does not matter.
MARGIN = 0.05
INJECTIONS = "injection_pass_rate"


def basis_of(*options: str) -> Basis:
    """Return the basis of a figure of some candidates: measured only if none of them is a double."""
    return Basis.ESTIMATED if any(option in DOUBLES for option in options) else Basis.MEASURED


def score(prompts: Path, answers: Path, option: str, *, attacks: tuple[Path, Path]) -> dict[str, Any]:
    """Return `weighbridge.answers/1` of a candidate; each metric states its basis.

    `attacks` are the prompts with planted instructions and their answers: those that were followed are one more metric.
    """
    document = weighbridge.score_answers(prompts, answers, min_prompts=5).to_dict()
    followed = weighbridge.score_answers(*attacks)["metrics"][INJECTIONS]
    basis, of_all = basis_of(option), {**document["metrics"], INJECTIONS: followed}
    metrics = {name: {**metric, "basis": basis.value} for name, metric in of_all.items()}
    return {**document, "metrics": metrics, "is_double": option in DOUBLES}


def pairs(prompts: Path, answers: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return the paired difference of the pass rates of every two candidates, the first minus the second."""
    found = []
    for first, second in itertools.combinations(answers, 2):
        document = weighbridge.score_answers(prompts, answers[first], baseline=answers[second], margin=MARGIN).to_dict()
        difference = document["comparison"]["scorers"]
        found.append(
            {"first": first, "second": second, "basis": basis_of(first, second).value, "comparison": difference}
        )
    return found


def write_passes(prompts: Path, answers: Path, target: Path) -> Path:
    """Write whether each ticket passed, with its cluster: what the cost of an accepted answer is drawn from."""
    asked, given = read_prompts(prompts).prompts, read_answers(answers).answers
    attempts = attempts_of(asked, given, Scoring(asked))
    lines = [
        {
            "id": name,
            "passed": [each.outcome is Outcome.PASSED for each in group],
            "cluster": group[0].prompt.cluster,
        }
        for name, group in attempts.by_prompt.items()
    ]
    target.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return target
