"""Read what gateways and providers export, row by row: one line for each day and model comes out.

- CSV: `day`, `digest` or `model`, `requests`, `input_tokens`, `output_tokens`; optional `cached_tokens` and `usd`.
- The spend logs of LiteLLM, as JSON (`/spend/logs`) or CSV, with a row for each request: `startTime`, `model`,
  `custom_llm_provider`, `prompt_tokens`, `completion_tokens`, `spend`, and cached tokens in `metadata.usage_object`.
- The usage of completions of OpenAI (`/v1/organization/usage/completions`, by day and model), as JSON pages: buckets
  with `start_time` and `results` of `model`, `num_model_requests`, `input_tokens`, `input_cached_tokens` and
  `output_tokens`.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from weighbridge.client.usage.report import COUNTS, USD_PLACES, UsageLine, line_of, summed
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.costs.prices.importers.json_stream import Path, members

MOST_ROWS = 5_000_000
LITELLM = frozenset({"startTime", "prompt_tokens", "completion_tokens"})
ACCEPTED = "a CSV with the column day, spend logs of LiteLLM, or usage pages of OpenAI"


def read_export(stream: IO[str], *, is_csv: bool) -> tuple[UsageLine, ...]:
    """Return the lines of an export, summed by day and model; the file is never held whole.

    Raises Invalid with the row and the column, TooLarge above 5,000,000 rows.
    """
    lines = summed(_of_csv(stream) if is_csv else _of_json(stream))
    if not lines:
        raise Invalid(f"The file has no usage. It must be {ACCEPTED}.", field="file")
    return lines


def _of_csv(stream: IO[str]) -> Iterator[UsageLine]:
    rows = csv.DictReader(stream, strict=True)
    try:
        header = frozenset(rows.fieldnames or ())
        is_litellm = header >= LITELLM
        if not is_litellm and "day" not in header:
            raise Invalid(f"The file must be {ACCEPTED}.", field="file")
        for number, row in enumerate(rows, start=2):
            _check_rows(number)
            if None in row:
                raise Invalid(f"Row {number} of the CSV has more cells than the header.", field="file")
            cells = {str(name): cell.strip() for name, cell in row.items() if cell and cell.strip()}
            place = f"row {number}"
            yield _of_litellm(cells, place) if is_litellm else line_of(_with_counts(cells, place), place=place)
    except (csv.Error, UnicodeDecodeError) as error:
        raise Invalid(f"The CSV cannot be read: {error}.", field="file") from error


def _of_json(stream: IO[str]) -> Iterator[UsageLine]:
    """Open the list of a LiteLLM export, and of each page of OpenAI the list of its buckets."""
    try:
        for number, (path, value) in enumerate(members(stream, is_opened=_is_opened)):
            _check_rows(number)
            place = ".".join(map(str, path))
            if isinstance(value, Mapping | list):
                yield from _of_value(_mapping(value), place)
    except UnicodeDecodeError as error:
        raise Invalid(f"The file is not text in UTF-8: {error}.", field="file") from error


def _is_opened(path: Path) -> bool:
    """The file, and the list of rows or of buckets in it."""
    return path in ((), ("data",))


def _of_value(value: Mapping[str, Any], place: str) -> Iterator[UsageLine]:
    """A row of LiteLLM, a bucket of OpenAI, or one of several pages of buckets."""
    if value.keys() >= LITELLM:
        yield _of_litellm(value, place)
    elif value.get("object") == "bucket":
        yield from _of_bucket(value, place)
    elif value.get("object") == "page" and isinstance(value.get("data"), list):
        for position, bucket in enumerate(value["data"]):
            yield from _of_bucket(_mapping(bucket), f"{place}.data[{position}]")
    else:
        raise Invalid(f"{place or 'The file'} is no usage. The file must be {ACCEPTED}.", field="file")


def _of_litellm(row: Mapping[str, Any], place: str) -> UsageLine:
    provider, model = str(row.get("custom_llm_provider") or ""), str(row.get("model") or "")
    named = model if not provider or model.startswith(f"{provider}/") else f"{provider}/{model}"
    started = str(row.get("startTime", ""))
    counts = {
        "day": _day_of(started, place),
        "model": named or "unknown",
        "requests": 1,
        "input_tokens": _whole(row.get("prompt_tokens"), place, "prompt_tokens"),
        "output_tokens": _whole(row.get("completion_tokens"), place, "completion_tokens"),
        "cached_tokens": _cached_in(row.get("metadata"), place),
        "usd": _usd(row.get("spend"), place),
    }
    return line_of(counts, place=place)


def _cached_in(metadata: object, place: str) -> int:
    """The cached tokens that LiteLLM keeps in the metadata of a request; 0 if it says nothing."""
    if isinstance(metadata, str) and metadata.startswith("{"):
        metadata = parse_json(metadata.encode(), name=f"{place}, metadata", field="file", number=Decimal)
    usage = _mapping(_mapping(metadata).get("usage_object"))
    details = _mapping(usage.get("prompt_tokens_details"))
    return _whole(details.get("cached_tokens", usage.get("cache_read_input_tokens")), place, "cached_tokens")


def _of_bucket(bucket: Mapping[str, Any], place: str) -> Iterator[UsageLine]:
    start, results = bucket.get("start_time"), bucket.get("results")
    if not isinstance(start, int) or not isinstance(results, list):
        raise Invalid(f"{place} is no bucket of usage: it needs start_time and results.", field="file")
    for position, result in enumerate(results):
        at = f"{place}.results[{position}]"
        row = _mapping(result)
        if not isinstance(row.get("model"), str):
            raise Invalid(f"{at} names no model. Ask for the usage with group_by=model.", field="file")
        document = {
            "day": _day_at(start, at),
            "model": f"openai/{row['model']}",
            "requests": _whole(row.get("num_model_requests"), at, "num_model_requests"),
            "input_tokens": _whole(row.get("input_tokens"), at, "input_tokens"),
            "cached_tokens": _whole(row.get("input_cached_tokens"), at, "input_cached_tokens"),
            "output_tokens": _whole(row.get("output_tokens"), at, "output_tokens"),
        }
        yield line_of(document, place=at)


def _with_counts(cells: Mapping[str, str], place: str) -> dict[str, object]:
    return {name: _whole(cell, place, name) if name in COUNTS else cell for name, cell in cells.items()}


def _whole(value: object, place: str, column: str) -> int:
    """A count; nothing counts as 0."""
    if value in (None, ""):
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Invalid(f"{place}: {column} must be a whole number, 0 or more.", field="file")


def _usd(value: object, place: str) -> str | None:
    """The amount as text, rounded to the places that a report keeps; None for nothing."""
    if value in (None, ""):
        return None
    try:
        return f"{round(Decimal(str(value)), USD_PLACES):f}"
    except InvalidOperation as error:
        raise Invalid(f"{place}: spend must be a number.", field="file") from error


def _day_of(text: str, place: str) -> date:
    try:
        started = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{place}: startTime must be a time like 2026-11-01T08:00:00Z.", field="file") from error
    return started.date() if started.utcoffset() is None else started.astimezone(UTC).date()


def _day_at(seconds: int, place: str) -> date:
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (OverflowError, ValueError, OSError) as error:
        raise Invalid(f"{place}: start_time must be a time in seconds.", field="file") from error


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _check_rows(number: int) -> None:
    if number > MOST_ROWS:
        raise TooLarge(f"The file has more than {MOST_ROWS:,} rows; export fewer days at a time.", field="file")
