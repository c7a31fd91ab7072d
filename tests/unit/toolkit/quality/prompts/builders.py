"""Prompts, answers, verdicts and labels of a small support desk."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from weighbridge.quality.prompts.answer_file import PromptAnswer, TokenUsage, answer_lines
from weighbridge.quality.prompts.prompt_file import Prompt

JUDGE = f"sha256:{'a' * 64}"
OTHER_JUDGE = f"sha256:{'b' * 64}"
RIGHT, WRONG = "30 days", "14 days"
NUMERIC = {"scorer": "numeric", "value": 30}


def prompt(name: str, **changes: Any) -> Prompt:
    """Return a prompt whose right answer has the number 30."""
    given = {"expected": NUMERIC, "max_tokens": 64} | changes
    return Prompt(id=name, messages=({"role": "user", "content": "How many days?"},), **given)


def desk(folder: Path, n: int = 60, *, share: float = 0.8, seed: int = 1) -> dict[str, Path]:
    """Write `n` prompts in 30 clusters, answers of two models, verdicts of a judge, and labels of every second."""
    rng = np.random.default_rng(seed)
    prompts, files = [], {name: folder / f"{name}.jsonl" for name in FILES}
    answers: dict[str, list[PromptAnswer]] = {"answers": [], "baseline": []}
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in ("judge", "labels", "baseline_judge")}
    for place in range(n):
        name = f"t-{place}"
        prompts.append(
            {
                "id": name,
                "prompt": "How many days?",
                "max_tokens": 64,
                "cluster": f"c-{place % 30}",
                "slices": {"kind": "long" if place % 2 else "short"},
                "expected": NUMERIC,
            }
        )
        for model, its_share in (("answers", share), ("baseline", share - 0.3)):
            is_right = bool(rng.random() < its_share)
            usage = TokenUsage(input_tokens=20, output_tokens=4)
            answers[model].append(PromptAnswer(id=name, text=RIGHT if is_right else WRONG, usage=usage))
            verdict = {"id": name, "verdict": is_right if rng.random() < 0.9 else not is_right, "judge": JUDGE}
            lines["judge" if model == "answers" else "baseline_judge"].append(verdict)
            if model == "answers" and place % 2:
                lines["labels"].append({"id": name, "label": is_right})
    for model, its_answers in answers.items():
        files[model].write_bytes(answer_lines(its_answers))
    for file, its_lines in {"prompts": prompts, **lines}.items():
        files[file].write_text("".join(json.dumps(line) + "\n" for line in its_lines))
    return files


FILES = ("prompts", "answers", "baseline", "judge", "labels", "baseline_judge")
