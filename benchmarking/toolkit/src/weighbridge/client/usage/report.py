"""A usage report: what a gateway or a provider counted for each day and model in one environment.

The document is `{gateway, environment, lines: [...]}`. A line has `day`, `digest` or `model`, `requests`,
`input_tokens`, `output_tokens`, and may have `cached_tokens` and `usd`. Input tokens include cached ones, output tokens
include reasoning. A model is named like `openai/gpt-4o-mini-2024-07-18`; a digest is that of the subject. A report
authorizes nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from weighbridge.core.canonical import digest_of, is_digest, plain
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.price import amount_text

MOST_LINES = 20_000
LARGEST_COUNT = 10**15
LARGEST_USD = Decimal(10**9)
USD_PLACES = 12
LONGEST_NAME = 200
_GATEWAY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
_MODEL = re.compile(r"[^\x00-\x20\x7f]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """The usage of one model on one day (UTC); `usd` is None if nobody priced it."""

    day: date
    digest: str = ""
    model: str = ""
    requests: int
    input_tokens: int
    cached_tokens: int = 0
    output_tokens: int
    usd: Decimal | None = None

    @property
    def key(self) -> tuple[date, str, str]:
        """What tells the lines of one report apart."""
        return self.day, self.digest, self.model

    def plus(self, other: "UsageLine") -> "UsageLine":
        """Return the sum with a line of the same key; the money is unknown if one of the two is."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return replace(self, **counts, usd=usd)

    def as_document(self) -> dict[str, Any]:
        """Return the JSON document, without unknown fields; money is text, so that it stays exact."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        named["usd"] = None if self.usd is None else amount_text(self.usd)
        return {name: plain(value) for name, value in named.items() if value not in ("", None)}


COUNTS = ("requests", "input_tokens", "cached_tokens", "output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """The lines of a gateway in an environment; they replace its earlier lines of the same days."""

    gateway: str
    environment: str
    lines: tuple[UsageLine, ...]

    @property
    def digest(self) -> str:
        """The digest of the lines, whatever their order."""
        return digest_of(sorted((line.as_document() for line in self.lines), key=digest_of))

    @property
    def days(self) -> tuple[date, ...]:
        """The days of the lines, earliest first."""
        return tuple(sorted({line.day for line in self.lines}))

    def as_document(self) -> dict[str, Any]:
        """Return the JSON document."""
        lines = [line.as_document() for line in self.lines]
        return {"gateway": self.gateway, "environment": self.environment, "lines": lines}


def read_usage(document: object) -> UsageReport:
    """Return the report of a document; raise Invalid with the path of the invalid key."""
    reader = Reader(document)
    gateway = reader.text("gateway")
    if not _GATEWAY.fullmatch(gateway):
        raise reader.fault("gateway", "must be a name of at most 80 letters, digits and . _ : / -.")
    environment = reader.text("environment")
    rows = reader.plain("lines")
    if isinstance(rows, Sequence):
        check_count(len(rows))
    lines = reader.items("lines", read_line)
    reader.close()
    if not lines:
        raise Invalid("lines is empty. A report without lines would replace nothing.", field="lines")
    _check_once(lines)
    return UsageReport(gateway=gateway, environment=environment, lines=lines)


def check_count(count: int) -> None:
    """Raise Invalid for more lines than a report may have."""
    if count > MOST_LINES:
        text = f"The report has {count:,} lines; the limit is {MOST_LINES:,}. Report fewer days at a time."
        raise Invalid(text, field="lines", code="too_many")


def read_line(reader: Reader) -> UsageLine:
    """Return one line; the caller closes the reader."""
    digest, model = reader.text("digest", ""), reader.text("model", "")
    if bool(digest) == bool(model):
        raise reader.fault("model", "or digest is required, but not both.")
    if digest and not is_digest(digest):
        raise reader.fault("digest", "must be sha256: and 64 lower-case hexadecimal digits.")
    if model and not _MODEL.fullmatch(model):
        raise reader.fault("model", f"must be a name without spaces of at most {LONGEST_NAME} characters.")
    counts = {name: _count(reader, name) for name in COUNTS if name != "cached_tokens" or reader.asks(name)}
    if counts.get("cached_tokens", 0) > counts["input_tokens"]:
        raise reader.fault("cached_tokens", "must be at most input_tokens, which include them.")
    usd = _money(reader) if reader.asks("usd") else None
    return UsageLine(day=reader.day("day"), digest=digest, model=model, usd=usd, **counts)


def _count(reader: Reader, name: str) -> int:
    return reader.whole(name, at_least=0, at_most=LARGEST_COUNT)


def _money(reader: Reader) -> Decimal:
    amount = reader.number("usd")
    if not 0 <= amount <= LARGEST_USD:
        raise reader.fault("usd", f"must be an amount from 0 to {LARGEST_USD:,}.")
    if amount != round(amount, USD_PLACES):
        raise reader.fault("usd", f"has more than {USD_PLACES} decimal places; round it.")
    return amount


def _check_once(lines: Iterable[UsageLine]) -> None:
    seen: set[tuple[date, str, str]] = set()
    for place, line in enumerate(lines):
        if line.key in seen:
            text = f"lines[{place}] is a second line of {line.model or line.digest} on {line.day}. Add them up."
            raise Invalid(text, field=f"lines[{place}].day")
        seen.add(line.key)


def summed(lines: Iterable[UsageLine]) -> tuple[UsageLine, ...]:
    """Return one line for each day and model, in order; raise Invalid above the number of lines of a report."""
    sums: dict[tuple[date, str, str], UsageLine] = {}
    for line in lines:
        before = sums.get(line.key)
        sums[line.key] = line if before is None else before.plus(line)
        check_count(len(sums))
    return tuple(sums[key] for key in sorted(sums))


def line_of(row: Mapping[str, object], *, place: str) -> UsageLine:
    """Return the line of a mapping; raise Invalid that names the place."""
    reader = Reader(row)
    try:
        line = read_line(reader)
        reader.close()
    except Invalid as refusal:
        raise Invalid(f"{place}: {refusal.reason}", field="file") from refusal
    return line
