"""Cheaper alternatives to a language model of the company: invented answers, compared as real ones are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import weighbridge

RIGHT, WRONG = "yes", "no"


def compared_alternatives(story: Mapping[str, Any], *, folder: Path) -> dict[str, Any]:
    """Write prompts and the answers of each option, and compare them; the first option is the baseline.

    The prompts on which an option fails are the last ones, so that the failures of a better option are among those of
    a worse one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = story["prompts"]
    expected = {"scorer": "exact", "value": RIGHT}
    _write(
        folder / "prompts.jsonl", [{"id": f"p-{n}", "prompt": f"Case {n}", "expected": expected} for n in range(count)]
    )
    options = []
    for name, option in story.items():
        if name == "prompts":
            continue
        passed = option["passed"]
        answers = [{"id": f"p-{n}", "text": RIGHT if n < passed else WRONG, "finish": "stop"} for n in range(count)]
        _write(folder / f"{name}.jsonl", answers)
        stated = {key: value for key, value in option.items() if key != "passed"}
        options.append({"name": name, "answers": str(folder / f"{name}.jsonl"), **stated})
    baseline, *alternatives = options
    plan = {
        "prompts": str(folder / "prompts.jsonl"),
        "margin": 0.05,
        "fallback_usd": 0.02,
        "baseline": baseline,
        "alternatives": alternatives,
    }
    return dict(weighbridge.answer_alternatives(plan).document)


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
