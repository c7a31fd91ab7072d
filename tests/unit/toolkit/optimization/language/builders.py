"""A plan of alternatives to a language model, with its files."""

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.unit.toolkit.quality.prompts.builders import NUMERIC, RIGHT, WRONG
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.book_options import book_of
from weighbridge.optimization.language.answer_costs import DrawSettings
from weighbridge.optimization.language.document import alternatives_document
from weighbridge.optimization.language.plan_file import plan_from
from weighbridge.quality.prompts.answer_file import PromptAnswer, TokenUsage, answer_lines

QUICK = DrawSettings(draws=2_000)
USAGE = TokenUsage(input_tokens=600, cached_tokens=0, output_tokens=200)


@functools.cache
def book() -> PriceBook:
    return book_of([], None, None, "2026-11-20")


def write_prompts(folder: Path, n: int, *, clusters: int = 0) -> None:
    lines = [
        {"id": f"t-{place}", "prompt": "How many days?", "max_tokens": 64, "expected": NUMERIC}
        | ({"cluster": f"c-{place % clusters}"} if clusters else {})
        for place in range(n)
    ]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_answers(
    folder: Path, name: str, passed: Sequence[bool | Sequence[bool]], usage: TokenUsage | None = USAGE
) -> None:
    answers = [
        PromptAnswer(id=f"t-{place}", attempt=attempt, text=RIGHT if is_right else WRONG, usage=usage)
        for place, each in enumerate(passed)
        for attempt, is_right in enumerate([each] if isinstance(each, bool) else each)
    ]
    (folder / f"{name}.jsonl").write_bytes(answer_lines(answers))


def write_confidence(folder: Path, values: Sequence[float]) -> None:
    lines = [{"id": f"t-{place}", "confidence": value} for place, value in enumerate(values)]
    (folder / "confidence.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


LARGE = {"name": "large", "answers": "large.jsonl", "model": "openai/gpt-5"}
SMALL = {"name": "small", "kind": "smaller_model", "answers": "small.jsonl", "model": "openai/gpt-5-mini"}


def plan_document(*alternatives: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    given = {"prompts": "prompts.jsonl", "margin": 0.05, "baseline": LARGE, "alternatives": list(alternatives)}
    return given | changes


def compared(folder: Path, *alternatives: Mapping[str, Any], settings: DrawSettings = QUICK, **changes: Any) -> Any:
    plan = plan_from(plan_document(*alternatives, **changes), folder)
    return alternatives_document(plan, book(), settings=settings, measured_at="2026-11-20T10:00:00+00:00")


def candidate(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next(each for each in document["candidates"] if each["name"] == name)


def alternatives_file(path: Path) -> None:
    """Write a plan of two models and a batch tier, with what it names in a folder beside it."""
    folder = path.parent / "desk"
    folder.mkdir(exist_ok=True)
    write_prompts(folder, 120)
    for name, every in (("large", 10), ("small", 9)):
        write_answers(folder, name, [place % every != 0 for place in range(120)])
    sides = [LARGE | {"answers": "desk/large.jsonl"}, SMALL | {"answers": "desk/small.jsonl"}]
    batch = {"name": "batch", "kind": "batch_tier"}
    path.write_text(yaml.safe_dump(plan_document(*sides[1:], batch, baseline=sides[0], prompts="desk/prompts.jsonl")))
