"""The numeric scorer: the first or the last number of an answer, within a tolerance."""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.documents import Reader
from weighbridge.quality.prompts.answer_file import PromptAnswer

DIGITS_MAX = 40
# The separator of thousands, and of the fraction that goes with it.
SEPARATORS = {"": ".", ",": ".", "'": ".", " ": ".", "_": ".", ".": ","}
SPACES = "[ \u00a0\u202f\u2009]"


class NumberPlace(StrEnum):
    """Which number of an answer counts."""

    FIRST = "first"
    LAST = "last"


def read_numeric(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `numeric`: `value`, `take` (last, or first), tolerances `absolute` and `relative`, and `thousands`.

    A number is right within the larger of both tolerances, ends included. `thousands` is the separator of thousands:
    `,` (the default), `.` (the fraction then has a comma), a space, `'`, `_`, or "" for none.
    """
    value = reader.number("value")
    place = reader.choice("take", NumberPlace, NumberPlace.LAST)
    absolute, relative = (_tolerance(reader, key) for key in ("absolute", "relative"))
    separator = reader.plain("thousands") if reader.asks("thousands") else ","
    if not isinstance(separator, str) or separator not in SEPARATORS:
        raise reader.fault("thousands", 'must be one of "", ",", ".", " ", "\'", "_".')
    pattern, tolerance = _pattern(separator), max(absolute, relative * abs(value))

    def is_right(answer: PromptAnswer) -> bool:
        numbers = [match.group() for match in pattern.finditer(answer.text)]
        if not numbers:
            return False
        number = _number(numbers[0 if place is NumberPlace.FIRST else -1], separator)
        return number is not None and abs(number - value) <= tolerance

    return is_right


def _tolerance(reader: Reader, key: str) -> Decimal:
    value = reader.number(key) if reader.asks(key) else Decimal(0)
    if value < 0:
        raise reader.fault(key, "must be zero or more.")
    return value


def _pattern(separator: str) -> re.Pattern[str]:
    """Return the pattern of a number; every quantifier ends at another character, so that it cannot backtrack far."""
    thousands = SPACES if separator == " " else re.escape(separator)
    whole = rf"(?:[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+(?![0-9])|[0-9]+)" if separator else "[0-9]+"
    fraction = re.escape(SEPARATORS[separator])
    # A sign directly after a letter or a digit is a hyphen, as in "3-4".
    sign, exponent = r"(?:(?<![\w)])[-+\u2212])?", r"(?:[eE][-+]?[0-9]{1,3})?"
    return re.compile(rf"{sign}(?:{whole}(?:{fraction}[0-9]+)?|(?<![0-9]){fraction}[0-9]+){exponent}")


def _number(text: str, separator: str) -> Decimal | None:
    for character in SPACES[1:-1] if separator == " " else separator:
        text = text.replace(character, "")
    text = text.replace(SEPARATORS[separator], ".").replace("\u2212", "-")
    return Decimal(text) if len(text) <= DIGITS_MAX else None
