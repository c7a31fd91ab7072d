"""Files of a judge and of people: a verdict on an answer a line (JSONL).

A line of the judge has `id` and `attempt` of the answer, `verdict` (true, false, or a share from 0 to 1), and `judge`,
the digest of the judge: its model, prompt and settings. A line of a person has `label` in the place of `verdict`, and
may name the judge that the labels calibrate. Both may have `answer`, the digest of the text that was judged.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import is_digest
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import ATTEMPTS_MAX
from weighbridge.quality.prompts.json_lines import LineLimits, read_lines

LIMITS = LineLimits(bytes_max=200_000_000)
Key = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class AnswerJudgment:
    """What a judge or a person thinks of an answer: `value` from 0 to 1. `answer` is the digest of its text, or ""."""

    key: Key
    value: float
    judge: str
    answer: str


@dataclasses.dataclass(frozen=True)
class JudgmentFile:
    """Judgments by prompt and attempt, the digest of the judge ("" if none is named), and that of the file."""

    judgments: Mapping[Key, AnswerJudgment]
    judge: str
    digest: str


def read_verdicts(path: Path) -> JudgmentFile:
    """Return the verdicts of one judge; raise Invalid for several judges, and for a line without its digest."""
    return _read(path, "verdict", "judge", needs_judge=True)


def read_labels(path: Path) -> JudgmentFile:
    """Return the labels of people; raise Invalid if they name several judges."""
    return _read(path, "label", "labels", needs_judge=False)


def _read(path: Path, key: str, field: str, *, needs_judge: bool) -> JudgmentFile:
    lines, digest = read_lines(
        path, lambda reader: _judgment(reader, key, needs_judge=needs_judge), field=field, limits=LIMITS
    )
    judgments = {each.key: each for each in lines}
    if len(judgments) < len(lines):
        text = f"{path.name} judges an answer twice; give one {key} for each attempt."
        raise Invalid(text, code="judge_repeat", field=field)
    judges = {each.judge for each in lines}
    if len(judges) > 1:
        text = f"{path.name} names {len(judges)} judges; measure one judge at a time."
        raise Invalid(text, code="judge_mixed", field=field)
    return JudgmentFile(judgments, judges.pop(), digest)


def _judgment(reader: Reader, key: str, *, needs_judge: bool) -> AnswerJudgment:
    name = reader.text("id")
    attempt = reader.whole("attempt", at_most=ATTEMPTS_MAX) if reader.asks("attempt") else 0
    value: Any = reader.plain(key)
    if not isinstance(value, bool | int | float) or not 0 <= value <= 1:
        raise reader.fault(key, "must be true, false, or a number from 0 to 1.")
    judge = _digest(reader, "judge") if reader.asks("judge") or needs_judge else ""
    return AnswerJudgment(
        (name, attempt), float(value), judge, _digest(reader, "answer") if reader.asks("answer") else ""
    )


def _digest(reader: Reader, key: str) -> str:
    digest = reader.text(key)
    if not is_digest(digest):
        raise reader.fault(key, "must be sha256: and 64 hexadecimal digits.")
    return digest
