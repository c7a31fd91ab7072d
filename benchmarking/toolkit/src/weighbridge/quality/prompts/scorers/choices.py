"""The choice scorer: one of several choices, by its letter or by its label; an answer that names several is wrong."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.scorers.options import CHARS_MAX

CHOICES_MAX = 52


def read_choice(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `choice`: `choices` is a mapping of letters to labels, or a list of labels; `value` names the right one.

    A choice is named by its label anywhere in the answer (case aside), or by its letter: alone, before a punctuation
    mark or in brackets at the beginning ("B", "B.", "(B)"), after "answer", "answer is" or "option", or in brackets or
    bold. An answer that names no choice, or more than one, is wrong.
    """
    choices = _choices(reader)
    right = reader.text("value")
    if right not in choices:
        raise reader.fault("value", f"must be one of {', '.join(choices)}.")
    marks = {name: _marks(name, label) for name, label in choices.items()}

    def is_right(answer: PromptAnswer) -> bool:
        text = unicodedata.normalize("NFKC", answer.text).strip()
        named = {name for name, patterns in marks.items() if any(each.search(text) for each in patterns)}
        return named == {right}

    return is_right


def _choices(reader: Reader) -> Mapping[str, str]:
    value: Any = reader.plain("choices")
    choices = {each: each for each in value if isinstance(each, str)} if isinstance(value, list) else value
    is_right = isinstance(choices, dict) and len(choices) == len(value) and 2 <= len(choices) <= CHOICES_MAX
    texts = [*choices, *choices.values()] if is_right else []
    if not is_right or not all(isinstance(each, str) and 0 < len(each.strip()) <= CHARS_MAX for each in texts):
        raise reader.fault("choices", f"must be 2 to {CHOICES_MAX} different labels, or letters with labels.")
    return choices


def _marks(name: str, label: str) -> list[re.Pattern[str]]:
    written = re.escape(unicodedata.normalize("NFKC", label).strip())
    patterns = [re.compile(rf"(?<!\w){written}(?!\w)", re.IGNORECASE)] if len(label.strip()) > 1 else []
    if len(name) == 1:
        letter = re.escape(name)
        patterns += [
            re.compile(rf"\A[\[(*]{{0,3}}{letter}(?:[\])*.:,;]|\s*\Z)"),
            re.compile(rf"(?i:answer|option|choice)(?:\s+(?i:is))?\s*:?\s*[\[(*]{{0,3}}{letter}(?!\w)"),
            re.compile(rf"(?:\({letter}\)|\[{letter}\]|\*\*{letter}\*\*)"),
        ]
    return patterns
