"""Scorers of texts: exact, contains_all and regex."""

import functools
from collections.abc import Callable
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.scorers.options import normalizer, switch, texts

PATTERN_CHARS_MAX = 2_000
# A pattern that looks for longer backtracks without end.
PATTERN_SECONDS_MAX = 0.25


def read_exact(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `exact`: the answer is one of the texts in `value`; switches trim, ignore_case, nfkc."""
    normalized = normalizer(reader, trims=True)
    values = {normalized(value) for value in texts(reader, "value")}
    return lambda answer: normalized(answer.text) in values


def read_contains_all(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `contains_all`: each of the texts in `value` occurs in the answer; switches trim, ignore_case, nfkc."""
    normalized = normalizer(reader, trims=False)
    values = tuple(map(normalized, texts(reader, "value")))

    def is_right(answer: PromptAnswer) -> bool:
        text = normalized(answer.text)
        return all(value in text for value in values)

    return is_right


def read_regex(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `regex`: `pattern` matches anywhere in the answer, or the `whole` of it without spaces around it.

    The matching raises TimeoutError after a quarter of a second.
    """
    import_extra("regex")
    (pattern,) = texts(reader, "pattern")[:1]
    is_whole, ignores_case = (switch(reader, key, default=False) for key in ("whole", "ignore_case"))
    try:
        matches = matcher(pattern, is_whole=is_whole, ignores_case=ignores_case)
    except Invalid as error:
        raise reader.fault("pattern", error.reason) from error
    return lambda answer: matches(answer.text.strip() if is_whole else answer.text)


@functools.lru_cache(maxsize=4_096)
def matcher(pattern: str, *, is_whole: bool = False, ignores_case: bool = False) -> Callable[[str], bool]:
    """Return whether a text matches; a search raises TimeoutError after its limit. Raises Invalid for a bad pattern."""
    regex: Any = import_extra("regex")
    if len(pattern) > PATTERN_CHARS_MAX:
        raise Invalid(f"has more than {PATTERN_CHARS_MAX:,} characters.", field="pattern")
    try:
        compiled = regex.compile(pattern, flags=regex.IGNORECASE if ignores_case else 0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise Invalid(f"is no regular expression: {error}.", field="pattern") from error
    find = compiled.fullmatch if is_whole else compiled.search
    return lambda text: find(text, timeout=PATTERN_SECONDS_MAX) is not None
